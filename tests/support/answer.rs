//! What programs answer.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a program answered.
#[derive(Debug)]
pub struct Answer {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Answer {
    /// The output of a program that succeeded.
    ///
    /// # Panics
    /// If it failed, with everything it said.
    pub fn expect(self, what: &str) -> String {
        assert!(self.code == 0, "{what} failed: {self:#?}");
        self.stdout
    }
}

/// Runs a command line with this on stdin.
///
/// # Panics
/// If the program cannot be started.
pub fn answer(command: &mut Command, input: Option<&str>) -> Answer {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    if let Some(mut stdin) = child.stdin.take() {
        stdin
            .write_all(input.unwrap_or_default().as_bytes())
            .expect("the program reads its input");
    }
    let output = child.wait_with_output().expect("the program ends");
    Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
