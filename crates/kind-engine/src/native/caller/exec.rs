//! Commands in a running node, from the caller's side: a helper runs each, and its streams are carried.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use kind_sys::process;

use crate::native::call::{ExecRequest, Helper, Task};
use crate::native::state::State;
use crate::{Error, Io};

/// Runs a command in a node and returns its exit code.
pub(super) fn exec_call(
    program: &Path,
    state: &State,
    node: &str,
    request: ExecRequest,
    io: Io<'_>,
) -> Result<i32, Error> {
    let mut helper = Helper::new(program, state, node, Task::Exec(request))?;
    let stdin = match io.stdin {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    };
    helper
        .command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    process::die_with_parent(&mut helper.command);
    let mut child = helper
        .command
        .spawn()
        .map_err(Error::io("start a helper process"))?;
    pump_streams(&mut child, io).map_err(Error::io(format!(
        "carry the streams of a command in {node}"
    )))?;
    let status = child
        .wait()
        .map_err(Error::io("wait for a helper process"))?;
    helper.check_exit(status.code())
}

/// Carries all three streams until the program's outputs end.
fn pump_streams(child: &mut Child, io: Io<'_>) -> io::Result<()> {
    let Io {
        stdin,
        stdout,
        stderr,
    } = io;
    let (to, from, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        if let (Some(input), Some(mut to)) = (stdin, to) {
            // The program may end without reading everything.
            scope.spawn(move || drop(io::copy(input, &mut to)));
        }
        let errors = errors.map(|errors| scope.spawn(move || copy_stream(errors, stderr)));
        let result = from.map_or(Ok(()), |from| copy_stream(from, stdout));
        let errors = errors.map(thread::ScopedJoinHandle::join);
        result.and(errors.and_then(Result::ok).unwrap_or(Ok(())))
    })
}

/// Copies as it comes, so that what a program prints is seen at once.
fn copy_stream(mut from: impl Read, to: &mut (dyn Write + Send)) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return to.flush(),
            Ok(length) => to.write_all(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
