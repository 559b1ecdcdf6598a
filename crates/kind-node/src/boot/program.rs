//! Programs of the image that boot needs, each with a time limit.

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use kind_sys::process::{Handle, pid};
use rustix::process::Signal;

use super::Error;
use super::error::during_step;

/// More than any program here needs on a busy machine.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs a program and gives what it printed; a code other than 0 is an error.
pub(super) fn program_output(argv: &[&str], stdin: &str) -> Result<String, Error> {
    let program = argv.join(" ");
    let output =
        run_program(argv, stdin, PROGRAM_TIMEOUT).map_err(during_step(format!("run {program}")))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Program {
            program,
            status: output.status,
            message: message.trim().replace('\n', "; "),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program that is killed when it takes longer than `limit`.
pub(super) fn run_program(argv: &[&str], stdin: &str, limit: Duration) -> io::Result<Output> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let handle = i32::try_from(child.id())
        .ok()
        .and_then(pid)
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        .and_then(Handle::open)?;
    let input = child.stdin.take();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A program need not read what it is given.
            input.map(|mut input| input.write_all(stdin.as_bytes()))
        });
        scope.spawn(move || match handle.wait(limit) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => handle.signal(Signal::KILL.as_raw()),
        });
        child.wait_with_output()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_failure() {
        assert_eq!(program_output(&["cat"], "text").unwrap(), "text");
        let error = program_output(&["sh", "-c", "echo why >&2; exit 3"], "").unwrap_err();
        assert!(error.to_string().ends_with(": why"), "{error}");
        assert!(program_output(&["no-such-program"], "").is_err());
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let output = run_program(&["sleep", "60"], "", Duration::from_millis(50)).unwrap();
        assert!(!output.status.success());
    }
}
