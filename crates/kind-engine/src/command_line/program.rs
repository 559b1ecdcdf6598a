//! Running the engine's program.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kind_image::concurrent::run_both;
use kind_secret::redact_document;
use tempfile::TempDir;

use super::environment::secret_variables;
use super::liveness::{self, Liveness, Pulse};
use super::watchdog::{self, Call, Verdict};
use super::{FailureReason, Flavor, quote};
use crate::{Code, Error};

/// Characters of a command that are shown where its arguments are not why it failed.
const LONGEST_COMMAND: usize = 60;

/// A program that reaches an engine.
#[derive(Debug, Clone)]
pub(super) struct Program {
    name: String,
    flavor: Option<Flavor>,
    liveness: Arc<Liveness>,
    /// Where it keeps temporary files, if not where it wants.
    scratch: Option<PathBuf>,
    /// Where directories for those are made.
    temporary: PathBuf,
    /// What of a node's or a command's environment is no argument.
    secrets: BTreeMap<String, String>,
}

impl Program {
    /// A program behind which no engine can be asked whether it answers.
    #[cfg(test)]
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            flavor: None,
            liveness: Arc::new(Liveness::new(Vec::new(), liveness::USUAL)),
            scratch: None,
            temporary: PathBuf::from("/tmp"),
            secrets: BTreeMap::new(),
        }
    }

    /// The same as [`Program::of_engine`] for docker, with little patience.
    #[cfg(test)]
    pub(super) fn hasty(name: &str, patience: liveness::Patience) -> Self {
        let question = vec![name.to_owned(), "version".to_owned()];
        Self {
            flavor: Some(Flavor::Docker),
            liveness: Arc::new(Liveness::new(question, patience)),
            ..Self::new(name)
        }
    }

    /// The program of that name which reaches an engine of that flavor.
    pub(super) fn of_engine(flavor: Flavor, name: impl Into<String>) -> Self {
        let name = name.into();
        let question = std::iter::once(&name.as_str())
            .chain(flavor.liveness_question())
            .map(|word| (*word).to_owned())
            .collect();
        Self {
            flavor: Some(flavor),
            liveness: Arc::new(Liveness::new(question, liveness::USUAL)),
            name,
            scratch: None,
            temporary: PathBuf::from("/tmp"),
            secrets: BTreeMap::new(),
        }
    }

    /// The same program with a place for its temporary files, for calls that leave theirs behind.
    pub(super) fn with_scratch(&self, directory: &Path) -> Self {
        Self {
            scratch: Some(directory.to_owned()),
            ..self.clone()
        }
    }

    /// The same program for a call that names those of the variables which have a secret.
    pub(super) fn with_secrets(&self, variables: &BTreeMap<String, String>) -> Self {
        let secrets = secret_variables(variables);
        Self {
            secrets: secrets
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            ..self.clone()
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
        command.args(arguments).envs(&self.secrets);
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
    /// [`Error::Program`] if it cannot be run, [`Code::NoAnswer`] if it does not end and the engine does not answer.
    pub(super) fn run_command(&self, arguments: &[&str]) -> Result<Output, Error> {
        self.run_watched(arguments, self.limit_of(arguments))?
            .map_err(|verdict| self.ended(arguments, &verdict))
    }

    fn run_watched(
        &self,
        arguments: &[&str],
        limit: Option<Duration>,
    ) -> Result<Result<Output, Verdict>, Error> {
        let began = Instant::now();
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut call = self.begin_within(command, arguments, limit)?;
        let stdout = call.child.stdout.take().map(|stream| call.hear(stream));
        let stderr = call.child.stderr.take().map(|stream| call.hear(stream));
        let (stderr, stdout) = run_both(|| read_all(stderr), || read_all(stdout));
        let status = match call.wait()? {
            Ok(status) => status,
            Err(verdict) => return Ok(Err(verdict)),
        };
        tracing::debug!(
            program = self.name,
            arguments = %redact_document(&format!("{arguments:?}")),
            %status,
            ms = began.elapsed().as_millis(),
            "engine call"
        );
        if status.success() && watchdog::is_question(arguments) {
            self.liveness.note_answer(began.elapsed());
        }
        let failed = || Error::io("read what the engine's program prints");
        Ok(Ok(Output {
            status,
            stdout: stdout.map_err(failed())?,
            stderr: stderr.map_err(failed())?,
        }))
    }

    /// Starts a program that [`Program::command`] or [`Program::bare_command`] has made, and has it watched.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be run, [`Code::NoAnswer`] if the engine is known not to answer.
    pub(super) fn begin(&self, command: Command, arguments: &[&str]) -> Result<Call, Error> {
        self.begin_within(command, arguments, self.limit_of(arguments))
    }

    fn begin_within(
        &self,
        mut command: Command,
        arguments: &[&str],
        limit: Option<Duration>,
    ) -> Result<Call, Error> {
        match self.liveness.ask_before_call() {
            Pulse::Beats => {}
            Pulse::Silent(time) => return Err(self.ended(arguments, &Verdict::Silent(time))),
            Pulse::Gone(words) => return Err(self.ended(arguments, &Verdict::Gone(words))),
        }
        let child = command
            .spawn()
            .map_err(|error| self.unusable(arguments, &error))?;
        Ok(Call::watch(child, Arc::clone(&self.liveness), limit))
    }

    /// How long a call may take while the engine answers.
    fn limit_of(&self, arguments: &[&str]) -> Option<Duration> {
        let flavor = self.flavor.unwrap_or(Flavor::Docker);
        watchdog::limit_of(arguments, flavor.question_timeout())
    }

    /// Waits for the end of a program that was begun.
    ///
    /// # Errors
    /// [`Code::NoAnswer`] if it was ended because the engine does not answer.
    pub(super) fn end(&self, mut call: Call, arguments: &[&str]) -> Result<ExitStatus, Error> {
        call.wait()?
            .map_err(|verdict| self.ended(arguments, &verdict))
    }

    /// Whether a call may have failed because the engine went away meanwhile: programs that carry streams say nothing
    /// of that.
    ///
    /// # Errors
    /// [`Error::Program`] if nobody is there any more, [`Code::NoAnswer`] if the engine does not answer.
    pub(super) fn check_engine(&self, arguments: &[&str]) -> Result<(), Error> {
        match self.liveness.ask_anew() {
            Pulse::Beats => Ok(()),
            Pulse::Silent(time) => Err(self.ended(arguments, &Verdict::Silent(time))),
            Pulse::Gone(words) => Err(self.ended(arguments, &Verdict::Gone(words))),
        }
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
        liveness::output_within(self.command(arguments), limit)
            .map_err(|error| self.unusable(arguments, &error))
    }

    /// Whether the program ends in time, however it does; otherwise it is ended.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be run, [`Code::NoAnswer`] if the engine does not answer meanwhile.
    pub(super) fn ends_within(&self, arguments: &[&str], limit: Duration) -> Result<bool, Error> {
        match self.run_watched(arguments, Some(limit))? {
            Ok(_) => Ok(true),
            Err(Verdict::Stuck(_)) => Ok(false),
            Err(verdict) => Err(self.ended(arguments, &verdict)),
        }
    }

    /// Why a program was ended that did not end by itself.
    fn ended(&self, arguments: &[&str], verdict: &Verdict) -> Error {
        let command = shorten(self.quote_arguments(arguments));
        let engine = self
            .flavor
            .map_or(self.name.as_str(), |flavor| flavor.name());
        let question = self.liveness.question();
        let restart = self.flavor.map_or("", Flavor::restart_advice);
        match verdict {
            Verdict::Silent(time) => Error::other(
                Code::NoAnswer,
                format!(
                    "{engine} does not answer: \"{command}\" has said nothing for {} s, and neither has \"{question}\"",
                    time.as_secs().max(1)
                ),
                format!(
                    "{restart}; `{question}` ends at once when it is back; or choose another engine with `--provider`"
                ),
            ),
            Verdict::Gone(words) => Error::Program {
                command,
                reason: "the engine is gone".to_owned(),
                failure_reason: FailureReason::NoDaemon,
                output: words.clone(),
            },
            Verdict::Stuck(limit) => Error::other(
                Code::NoAnswer,
                format!(
                    "{engine} does not answer: \"{command}\" has not ended after {} s, though \"{question}\" does",
                    limit.as_secs()
                ),
                format!(
                    "see what that command waits for when it is given by hand; if it hangs there too: {restart}"
                ),
            ),
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

/// A command as far as it tells what it does.
fn shorten(command: String) -> String {
    match command.char_indices().nth(LONGEST_COMMAND) {
        Some((end, _)) => format!("{} ...", command[..end].trim_end()),
        None => command,
    }
}

fn read_all(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.map_or(Ok(0), |mut stream| stream.read_to_end(&mut bytes))?;
    Ok(bytes)
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
    use super::super::stub;
    use super::*;

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

    const HASTY: liveness::Patience = liveness::Patience {
        silence: Duration::from_millis(100),
        answer: Duration::from_millis(300),
    };

    /// A docker of this script, and the directory that it lies in.
    fn docker(script: &str, patience: liveness::Patience) -> (Program, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let name = stub::program(directory.path(), script);
        (Program::hasty(&name, patience), directory)
    }

    #[test]
    fn a_call_of_an_engine_that_hangs_is_ended() {
        let (docker, _directory) = docker("sleep 600", HASTY);
        let began = Instant::now();
        let error = docker.run_command(&["ps", "-a"]).unwrap_err();
        assert_eq!(error.code(), Code::NoAnswer);
        let text = error.to_string();
        assert!(text.starts_with("docker does not answer: \""), "{text}");
        assert!(text.contains(" ps -a\" has said nothing for "), "{text}");
        assert!(error.remedy().unwrap().contains("systemctl restart docker"));
        let again = docker.run_command(&["exec", "a", "b"]).unwrap_err();
        assert_eq!(again.code(), Code::NoAnswer);
        assert!(began.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_silent_call_goes_on_while_the_engine_answers() {
        let script = "[ \"$1\" = version ] && exit\nsleep 1\necho done";
        let (docker, _directory) = docker(script, HASTY);
        assert_eq!(docker.command_output(&["pull", "a"]).unwrap(), "done\n");
    }

    #[test]
    fn a_pull_that_makes_progress_is_never_cut() {
        let script = "[ \"$1\" = version ] && exec sleep 600\n\
                      for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done";
        let patience = liveness::Patience {
            silence: Duration::from_millis(100),
            answer: Duration::from_secs(2),
        };
        let (docker, _directory) = docker(script, patience);
        let pulled = docker.command_output(&["pull", "a"]).unwrap();
        assert_eq!(pulled.lines().count(), 8);
    }

    #[test]
    fn an_engine_that_is_gone_is_told_although_its_client_waits() {
        let script = "[ \"$1\" = version ] || exec sleep 600\n\
                      echo 'Cannot connect to the Docker daemon at x' >&2; exit 1";
        let (docker, _directory) = docker(script, HASTY);
        let error = docker.run_command(&["exec", "a", "b"]).unwrap_err();
        assert_eq!(error.code(), Code::NoDaemon);
        let said = "Cannot connect to the Docker daemon at x";
        assert_eq!(error.output(), Some(said));
    }

    #[test]
    fn a_call_that_ends_with_its_engine_names_the_engine() {
        let script = "echo 'Cannot connect to the Docker daemon at x' >&2; exit 1";
        let (docker, _directory) = docker(script, HASTY);
        let long = "a".repeat(100);
        let error = docker.check_engine(&["logs", "-f", &long]).unwrap_err();
        assert_eq!(error.code(), Code::NoDaemon);
        let text = error.to_string();
        assert!(
            text.contains("a ...\" failed with error: the engine is gone"),
            "{text}"
        );
    }

    #[test]
    fn only_questions_and_changes_have_a_limit_while_the_engine_answers() {
        let (docker, _directory) = docker("[ \"$1\" = version ] || exec sleep 600", HASTY);
        assert!(docker.limit_of(&["ps", "-a"]) < docker.limit_of(&["create", "a"]));
        for long in ["pull", "load", "save", "exec", "logs", "run", "cp", "wait"] {
            assert_eq!(docker.limit_of(&[long]), None);
        }
        let limit = Some(Duration::from_millis(500));
        let verdict = docker.run_watched(&["ps"], limit).unwrap().unwrap_err();
        assert_eq!(verdict, Verdict::Stuck(Duration::from_millis(500)));
        let text = docker.ended(&["ps"], &verdict).to_string();
        assert!(text.contains(" has not ended after "), "{text}");
    }
}
