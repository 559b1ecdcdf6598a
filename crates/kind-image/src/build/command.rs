//! Running programs: everything they print goes to the step's log, and its end into the error.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::cache::StepContext;
use super::error::Output;
use super::stop::set_apart;
use super::{Error, Event};
use crate::concurrent::run_both;

/// Bytes of a program's output that are read where that is its answer.
const MAX_OUTPUT: u64 = 16 << 20;
/// A line that is longer is taken in parts.
const MAX_LINE: u64 = 64 << 10;
/// Where the system has its programs. They run as root, and where the caller's own are is the caller's business.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Lines of a program's output that an error shows.
const TAIL: usize = 15;

impl StepContext<'_> {
    /// Runs a program without input.
    ///
    /// `progress` makes a short text for the observer out of a line of output, where it says something.
    pub(super) fn run_command(
        &self,
        command: Command,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        self.feed_command(command, progress, |_| Ok(()))
    }

    /// Runs a program and writes its input while it runs.
    pub(super) fn feed_command(
        &self,
        mut command: Command,
        progress: Progress<'_>,
        input: impl FnOnce(io::PipeWriter) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut log = self.begin_log(&command)?;
        let (input_reader, input_writer) = io::pipe().map_err(pipe_error)?;
        let (output, output_writer) = io::pipe().map_err(pipe_error)?;
        let errors = output_writer.try_clone().map_err(pipe_error)?;
        command
            .stdin(input_reader)
            .stdout(output_writer)
            .stderr(errors);
        let mut child = self.spawn_command(&mut command)?;
        let program = program_name(&command);
        // The command holds the pipes' other ends open: end of output comes when they are closed.
        drop(command);
        std::thread::scope(|scope| {
            let feeding = scope.spawn(move || input(input_writer));
            let following = scope.spawn(move || self.follow_output(output, &mut log, progress));
            let status = self.stop.await_end(&mut child).map_err(pipe_error)?;
            let tail = following.join().expect("following does not panic")?;
            let fed = feeding.join().expect("feeding does not panic");
            // The program's own failure explains a broken pipe better than the pipe does.
            self.check_exit(status, program, tail)?;
            fed
        })
    }

    /// Runs a program and returns its standard output; its errors go to the log.
    pub(super) fn command_output(&self, mut command: Command) -> Result<String, Error> {
        let log = self.begin_log(&command)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let program = program_name(&command);
        let mut child = self.spawn_command(&mut command)?;
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let (read, status) = run_both(
            // A program that goes on after that finds nobody who reads.
            move || {
                let mut printed = Vec::new();
                let read = stdout.take(MAX_OUTPUT).read_to_end(&mut printed);
                read.map(|_| printed)
            },
            || self.stop.await_end(&mut child),
        );
        self.check_exit(status.map_err(pipe_error)?, program, String::new())?;
        let printed = read.map_err(pipe_error)?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    fn begin_log(&self, command: &Command) -> Result<File, Error> {
        tracing::debug!(
            step = self.step.name(),
            command = show_command(command),
            "running"
        );
        let open = || {
            let mut log = File::options().create(true).append(true).open(self.log)?;
            writeln!(log, "+ {}", show_command(command))?;
            Ok(log)
        };
        open().map_err(Error::path::<io::Error>("write", self.log))
    }

    fn spawn_command(&self, command: &mut Command) -> Result<Child, Error> {
        let tool = command.get_program().to_string_lossy().into_owned();
        command
            .env("PATH", SYSTEM_PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive");
        set_apart(command);
        start_command(command).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::MissingTool {
                package: package_of(&tool),
                tool,
            },
            _ => Error::Io {
                action: format!("start {tool}"),
                source,
            },
        })
    }

    fn follow_output(
        &self,
        output: PipeReader,
        log: &mut File,
        progress: Progress<'_>,
    ) -> Result<String, Error> {
        let mut tail = VecDeque::new();
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            let mut part = output.by_ref().take(MAX_LINE);
            if part.read_until(b'\n', &mut line).map_err(pipe_error)? == 0 {
                break;
            }
            let line =
                String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
            writeln!(log, "{line}").map_err(Error::path("write", self.log))?;
            if let Some(text) = progress(&line) {
                (self.observer)(Event::Progress {
                    step: self.step,
                    text: &text,
                });
            }
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line);
        }
        Ok(Vec::from(tail).join("\n"))
    }

    fn check_exit(&self, status: ExitStatus, program: String, tail: String) -> Result<(), Error> {
        self.stop.check()?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Command {
            step: self.step,
            program,
            status: status.to_string(),
            log: self.log.to_owned(),
            output: Output(tail),
        })
    }
}

/// Starts a program, also one that was written a moment ago: a child that another thread is about to
/// start may have it open for writing for some milliseconds.
fn start_command(command: &mut Command) -> io::Result<Child> {
    for _ in 0..50 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
    command.spawn()
}

/// Makes a short text for people out of a line of output.
pub(super) type Progress<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// For programs whose output says nothing to people.
pub(super) const NO_PROGRESS: Progress<'static> = &|_| None;

/// A command as people read it: of a script among its arguments, only the first line.
fn show_command(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| {
        let word = word.to_string_lossy();
        match word.split_once('\n') {
            Some((first, _)) => format!("{first:?}…"),
            None if word.contains(' ') => format!("{word:?}"),
            None => word.into_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn program_name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn package_of(tool: &str) -> &'static str {
    match tool {
        "mmdebstrap" => "mmdebstrap",
        _ => "util-linux",
    }
}

fn pipe_error(source: io::Error) -> Error {
    Error::Io {
        action: "talk to a program".to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use super::super::{Step, Stop};
    use super::*;
    use crate::Code;

    fn with_work<T>(test: impl FnOnce(&StepContext<'_>) -> T) -> (T, String, Vec<String>) {
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("log");
        let heard = Mutex::new(Vec::new());
        let observer = |event: Event<'_>| {
            if let Event::Progress { text, .. } = event {
                heard.lock().unwrap().push(text.to_owned());
            }
        };
        let result = test(&StepContext {
            step: Step::Compile,
            directory: place.path(),
            log: &log,
            observer: &observer,
            stop: &Stop::default(),
        });
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        (result, log, heard.into_inner().unwrap())
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_goes_to_the_log_and_progress_to_the_observer() {
        let (result, log, heard) = with_work(|work| {
            let script = "echo I: one; echo two >&2; cat";
            work.feed_command(
                shell(script),
                &|line| line.strip_prefix("I: ").map(str::to_owned),
                |mut input| {
                    input.write_all(b"three\n").unwrap();
                    Ok(())
                },
            )
        });
        result.unwrap();
        assert_eq!(heard, ["one"]);
        for line in ["+ sh -c", "I: one", "two", "three"] {
            assert!(log.contains(line), "{log}");
        }
    }

    #[test]
    fn a_failure_shows_the_last_lines_and_the_log() {
        let (result, _, _) = with_work(|work| {
            let command =
                shell("i=0; while [ $i -lt 50 ]; do i=$((i + 1)); echo line $i; done; exit 3");
            work.run_command(command, NO_PROGRESS)
        });
        let error = result.unwrap_err();
        assert_eq!(error.code(), Code::BuildCommand);
        assert_eq!(
            error.to_string(),
            "Compiling Kubernetes: sh failed (exit status: 3)"
        );
        assert_eq!(error.log().and_then(Path::file_name), Some("log".as_ref()));
        let tail = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            tail.starts_with("line 36\n") && tail.ends_with("line 50"),
            "{tail}"
        );
    }

    #[test]
    fn the_program_is_to_blame_when_it_does_not_read_its_input() {
        let (result, _, _) = with_work(|work| {
            work.feed_command(shell("exit 1"), NO_PROGRESS, |mut input| {
                let chunk = vec![0; 1 << 20];
                input.write_all(&chunk).map_err(|source| Error::Io {
                    action: "feed".to_owned(),
                    source,
                })
            })
        });
        assert_eq!(result.unwrap_err().code(), Code::BuildCommand);
    }

    #[test]
    fn programs_are_the_systems() {
        let mut command = Command::new("sh");
        command
            .env("PATH", "/somewhere/else")
            .args(["-c", "echo $PATH"]);
        let (path, _, _) = with_work(|work| work.command_output(command));
        assert_eq!(path.unwrap().trim(), SYSTEM_PATH);
    }

    #[test]
    fn a_missing_tool_is_named() {
        let (result, _, _) =
            with_work(|work| work.command_output(Command::new("no-such-program-here")));
        let error = result.unwrap_err();
        assert_eq!(error.code(), Code::BuildToolMissing);
        assert!(error.remedy().is_some());
    }

    #[test]
    fn scripts_are_shown_by_their_first_line() {
        let mut command = shell("# Does it.\nset -eu\n");
        command.arg("two words");
        assert_eq!(
            show_command(&command),
            "sh -c \"# Does it.\"… \"two words\""
        );
    }
}
