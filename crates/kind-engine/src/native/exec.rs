//! Commands in a running node.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use kind_sys::namespace;
use kind_sys::process::{self, Pid};
use kind_sys::terminal::Terminal;
use rustix::event::{PollFd, PollFlags};
use serde::{Deserialize, Serialize};

use super::helper::{Helper, Task};
use super::monitor;
use super::record::{NodeRecord, RunRecord};
use super::state::{NodeDirectory, State};
use crate::{Error, Io};

/// A command, on its way to the helper that runs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) argv: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) tty: bool,
}

/// Exit codes that shells use for a program that cannot be executed, and for one that does not exist.
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Runs a command in a node and returns its exit code. The caller's side.
pub(super) fn call(
    program: &Path,
    state: &State,
    node: &str,
    request: Request,
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
    pump(&mut child, io).map_err(Error::io(format!(
        "carry the streams of a command in {node}"
    )))?;
    let status = child
        .wait()
        .map_err(Error::io("wait for a helper process"))?;
    helper.verdict(status.code())
}

/// Carries all three streams until the program's outputs end.
fn pump(child: &mut Child, io: Io<'_>) -> io::Result<()> {
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
        let errors = errors.map(|errors| scope.spawn(move || copy(errors, stderr)));
        let result = from.map_or(Ok(()), |from| copy(from, stdout));
        let errors = errors.map(thread::ScopedJoinHandle::join);
        result.and(errors.and_then(Result::ok).unwrap_or(Ok(())))
    })
}

/// Copies as it comes, so that what a program prints is seen at once.
fn copy(mut from: impl Read, to: &mut (dyn Write + Send)) -> io::Result<()> {
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

/// The first process of a running node.
pub(super) fn first_process(directory: &NodeDirectory, name: &str) -> Result<Pid, Error> {
    if !directory.exists() {
        return Err(Error::NoSuchNode(name.to_owned()));
    }
    let run = match directory.is_running() {
        true => RunRecord::load(directory)?,
        false => None,
    };
    run.and_then(|run| process::pid(run.pid)).ok_or_else(|| {
        Error::other(
            "ENG-NODE-STOPPED",
            format!("node {name} is not running"),
            "see its last words with `kind export logs`, or delete the cluster and create it again",
        )
    })
}

/// Runs a command in a node. The helper's side.
pub(super) fn run(state: &State, name: &str, request: &Request) -> Result<i32, Error> {
    let directory = state.node(name);
    let record = NodeRecord::load(&directory)?;
    let first = first_process(&directory, name)?;
    monitor::group(state, name)?
        .add_command(rustix::process::getpid())
        .map_err(Error::io(format!("join the cgroups of node {name}")))?;
    namespace::enter_node(first).map_err(Error::io(format!("enter node {name}")))?;

    let [program, arguments @ ..] = request.argv.as_slice() else {
        return Ok(0);
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&record.env)
        .envs(&request.env)
        .current_dir("/");
    process::die_with_parent(&mut command);
    let spawned = match request.tty {
        true => spawn_on_terminal(&mut command),
        false => command.spawn().map(|child| (child, None)),
    };
    let (child, terminal) = match spawned {
        Ok(spawned) => spawned,
        Err(error) => return Ok(explain(program, &error)),
    };
    // The helper's own ends are closed, so that only the program keeps the streams open.
    drop(command);
    if let Some(terminal) = terminal {
        relay(terminal).map_err(Error::io("relay the terminal"))?;
    }
    process::wait_for_child(Pid::from_child(&child)).map_err(Error::io("wait for the command"))
}

fn explain(program: &str, error: &io::Error) -> i32 {
    // On the stream where the program's own words would be.
    let _ = writeln!(io::stderr(), "{program}: {error}");
    match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_EXECUTABLE,
    }
}

fn spawn_on_terminal(command: &mut Command) -> io::Result<(Child, Option<Terminal>)> {
    let terminal = Terminal::open()?;
    if let Ok(size) = rustix::termios::tcgetwinsize(io::stdin()) {
        rustix::termios::tcsetwinsize(&terminal.controller, size)?;
    }
    let child = process::own_terminal(command, &terminal.path)?.spawn()?;
    Ok((child, Some(terminal)))
}

/// Carries bytes between the helper's streams and a terminal until the terminal's programs have ended.
/// In one thread: a process that has entered a pid namespace cannot start any.
fn relay(terminal: Terminal) -> io::Result<()> {
    let mut terminal = File::from(terminal.controller);
    let mut input = Some(io::stdin());
    let mut buffer = [0; 16 * 1024];
    loop {
        let mut ready = vec![PollFd::new(&terminal, PollFlags::IN)];
        if let Some(input) = &input {
            ready.push(PollFd::new(input, PollFlags::IN));
        }
        rustix::event::poll(&mut ready, None)?;
        let happened: Vec<_> = ready.iter().map(|fd| !fd.revents().is_empty()).collect();
        if happened.get(1) == Some(&true) {
            let read = rustix::io::read(io::stdin().as_fd(), &mut buffer).unwrap_or(0);
            match read {
                // The end of a terminal's input is a character.
                0 => {
                    input = None;
                    terminal.write_all(&[4])?;
                }
                length => terminal.write_all(&buffer[..length])?,
            }
        }
        if happened[0] {
            // EIO: no program has the terminal open any more.
            let Ok(length @ 1..) = terminal.read(&mut buffer) else {
                return Ok(());
            };
            io::stdout().write_all(&buffer[..length])?;
            io::stdout().flush()?;
        }
    }
}
