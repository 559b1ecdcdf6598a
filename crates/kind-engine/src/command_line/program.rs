//! Running the engine's program.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kind_secret::redact_document;
use tempfile::TempDir;

use super::{FailureReason, quote};
use crate::Error;

/// Pause between two looks at a program that may end.
const EXIT_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A program that reaches an engine.
#[derive(Debug, Clone)]
pub(super) struct Program {
    name: String,
    /// Where it keeps temporary files, if not where it wants.
    scratch: Option<PathBuf>,
    /// Where directories for those are made.
    temporary: PathBuf,
}

impl Program {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scratch: None,
            temporary: PathBuf::from("/tmp"),
        }
    }

    /// The same program with a place for its temporary files, for calls that leave theirs behind.
    pub(super) fn with_scratch(&self, directory: &Path) -> Self {
        Self {
            name: self.name.clone(),
            scratch: Some(directory.to_owned()),
            temporary: self.temporary.clone(),
        }
    }

    /// Makes temporary files below this directory.
    pub(super) fn keep_temporary_in(&mut self, directory: PathBuf) {
        self.temporary = directory;
    }

    /// A place for temporary files that is gone when it is dropped.
    pub(super) fn scratch_directory(&self) -> Result<TempDir, Error> {
        let failed = format!("make a directory in {}", self.temporary.display());
        tempfile::tempdir_in(&self.temporary).map_err(Error::io(failed))
    }

    /// The program with its arguments, away from the caller's terminal and the signals that come from it:
    /// whether a call is ended is decided here, not by a Ctrl-C that reaches both.
    pub(super) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.bare_command(arguments);
        command.stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    /// The program with its arguments, for a caller that gives it streams and a session.
    pub(super) fn bare_command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(&self.name);
        command.args(arguments);
        command.envs(self.scratch.iter().map(|scratch| ("TMPDIR", scratch)));
        #[cfg(target_os = "linux")]
        kind_sys::process::die_with_parent(&mut command);
        command
    }

    /// What the program prints to its stdout.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be run or fails.
    pub(super) fn command_output<S: AsRef<str>>(&self, arguments: &[S]) -> Result<String, Error> {
        let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
        let output = self.run_command(&arguments)?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(self.failure(&arguments, &output))
        }
    }

    /// What the program prints to its stdout, where that is data even if the program fails: a failure is told
    /// by its stderr alone.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be run or fails.
    pub(super) fn command_data(&self, arguments: &[&str]) -> Result<String, Error> {
        let output = self.run_command(arguments)?;
        self.data_of(arguments, output)
    }

    /// The data that a program printed which has ended.
    pub(super) fn data_of(&self, arguments: &[&str], mut output: Output) -> Result<String, Error> {
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        if !output.stderr.is_empty() {
            output.stdout.clear();
        }
        Err(self.failure(arguments, &output))
    }

    /// How the program ended, and everything that it printed.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be run.
    pub(super) fn run_command(&self, arguments: &[&str]) -> Result<Output, Error> {
        let began = Instant::now();
        let output = self
            .command(arguments)
            .output()
            .map_err(|error| self.unusable(arguments, &error))?;
        tracing::debug!(
            program = self.name,
            arguments = %redact_document(&format!("{arguments:?}")),
            status = %output.status,
            ms = began.elapsed().as_millis(),
            "engine call"
        );
        Ok(output)
    }

    /// How the program ended and what it printed, if it ends in time; otherwise it is ended, with all that it has
    /// started.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be run.
    pub(super) fn output_within(
        &self,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<Option<Output>, Error> {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|error| self.unusable(arguments, &error))?;
        let group = child.id();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        match receiver.recv_timeout(limit) {
            Ok(output) => output
                .map(Some)
                .map_err(Error::io("wait for the engine's program")),
            Err(_) => {
                end_group(group);
                Ok(None)
            }
        }
    }

    /// Whether the program ends in time, however it does; otherwise it is ended.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be run.
    pub(super) fn ends_within(&self, arguments: &[&str], limit: Duration) -> Result<bool, Error> {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .map_err(|error| self.unusable(arguments, &error))?;
        let deadline = Instant::now() + limit;
        loop {
            let ended = child.try_wait().ok().flatten().is_some();
            if ended || Instant::now() >= deadline {
                let _ = child.kill();
                wait_for_child(&mut child)?;
                return Ok(ended);
            }
            thread::sleep(EXIT_POLL_INTERVAL);
        }
    }

    /// The failure of a program that ended badly.
    pub(super) fn failure(&self, arguments: &[&str], output: &Output) -> Error {
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        self.ended_badly(arguments, &output.status.to_string(), &text)
    }

    /// The failure of a program that ended with this status after it printed this.
    pub(super) fn ended_badly(&self, arguments: &[&str], status: &str, printed: &[u8]) -> Error {
        let output = String::from_utf8_lossy(printed).into_owned();
        Error::Program {
            command: self.quote_arguments(arguments),
            reason: describe_status(status),
            failure_reason: FailureReason::of_output(&output),
            output,
        }
    }

    /// The failure of a program that could not be run.
    pub(super) fn unusable(&self, arguments: &[&str], error: &io::Error) -> Error {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let reason = if missing {
            format!("exec: {:?}: executable file not found in $PATH", self.name)
        } else {
            format!("exec: {:?}: {error}", self.name)
        };
        Error::Program {
            command: self.quote_arguments(arguments),
            failure_reason: FailureReason::of_output(&reason),
            reason,
            output: String::new(),
        }
    }

    fn quote_arguments(&self, arguments: &[&str]) -> String {
        let words = std::iter::once(self.name.as_str()).chain(arguments.iter().copied());
        let command = quote::quote_command(&words.map(str::to_owned).collect::<Vec<_>>());
        redact_document(&command).into_owned()
    }
}

/// Ends a program and all that it has started; whoever waits for it hears of it.
fn end_group(group: u32) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(group)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = group;
}

/// Waits for the end of an engine's program.
pub(super) fn wait_for_child(child: &mut Child) -> Result<ExitStatus, Error> {
    child
        .wait()
        .map_err(Error::io("wait for the engine's program"))
}

/// How a program ended, in kind's words.
fn describe_status(status: &str) -> String {
    if let Some(code) = status.strip_prefix("exit status: ") {
        return format!("exit status {code}");
    }
    match status.strip_prefix("signal: ") {
        Some(signal) if signal.starts_with("9 ") => "signal: killed".to_owned(),
        _ => status.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn failures_are_told_in_kinds_words() {
        let shell = Program::new("sh");
        let error = shell
            .command_output(&["-c", "echo a; echo b >&2; exit 3"])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "command \"sh -c 'echo a; echo b >&2; exit 3'\" failed with error: exit status 3"
        );
        assert_eq!(error.output(), Some("a\nb\n"));
        let error = shell.command_output(&["-c", "kill -9 $$"]).unwrap_err();
        assert!(error.to_string().ends_with("signal: killed"), "{error}");
        let error = Program::new("no-such-program")
            .command_output(&["-v"])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "command \"no-such-program -v\" failed with error: \
             exec: \"no-such-program\": executable file not found in $PATH"
        );
        assert_eq!(error.code(), Code::ProgramMissing);
    }

    #[test]
    fn data_of_a_failure_is_not_shown() {
        let shell = Program::new("sh");
        let told = |script| shell.command_data(&["-c", script]).unwrap_err();
        assert_eq!(told("echo {}; echo b >&2; false").output(), Some("b\n"));
        assert_eq!(told("echo a; false").output(), Some("a\n"));
        assert_eq!(
            shell.command_data(&["-c", "echo {}; echo b >&2"]).unwrap(),
            "{}\n"
        );
    }

    #[test]
    fn nobody_waits_for_what_a_program_has_started() {
        let shell = Program::new("sh");
        let output = |script, limit| shell.output_within(&["-c", script], limit).unwrap();
        let answer = output("echo a", Duration::from_secs(60)).unwrap();
        assert_eq!(answer.stdout, b"a\n");
        let began = Instant::now();
        let late = output("sleep 600; echo a", Duration::from_millis(100));
        assert!(late.is_none() && began.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let shell = Program::new("sh");
        let ends = |script: &str, limit| shell.ends_within(&["-c", script], limit).unwrap();
        assert!(ends("exit 1", Duration::from_secs(60)));
        let began = Instant::now();
        assert!(!ends("exec sleep 600", Duration::from_millis(100)));
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
