//! Running programs: everything they print goes to the step's log, and its end into the error.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::error::Output;
use super::workshop::Work;
use super::{Error, Event};

/// Lines of a program's output that an error shows.
const TAIL: usize = 15;

impl Work<'_> {
    /// Runs a program without input.
    ///
    /// `progress` makes a short text for the observer out of a line of output, where it says something.
    pub(super) fn run(&self, command: Command, progress: Progress<'_>) -> Result<(), Error> {
        self.feed(command, progress, |_| Ok(()))
    }

    /// Runs a program and writes its input while it runs.
    pub(super) fn feed(
        &self,
        mut command: Command,
        progress: Progress<'_>,
        input: impl FnOnce(io::PipeWriter) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut log = self.begin(&command)?;
        let (input_reader, input_writer) = io::pipe().map_err(pipe_error)?;
        let (output, output_writer) = io::pipe().map_err(pipe_error)?;
        let errors = output_writer.try_clone().map_err(pipe_error)?;
        command
            .stdin(input_reader)
            .stdout(output_writer)
            .stderr(errors);
        let child = self.spawn(&mut command)?;
        let program = program_name(&command);
        // The command holds the pipes' other ends open: end of output comes when they are closed.
        drop(command);
        std::thread::scope(|scope| {
            let feeding = scope.spawn(move || input(input_writer));
            let tail = self.follow(output, &mut log, progress)?;
            let fed = feeding.join().expect("feeding does not panic");
            // The program's own failure explains a broken pipe better than the pipe does.
            self.finish(child, program, tail)?;
            fed
        })
    }

    /// Runs a program and returns its standard output; its errors go to the log.
    pub(super) fn output(&self, mut command: Command) -> Result<String, Error> {
        let log = self.begin(&command)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let program = program_name(&command);
        let child = self.spawn(&mut command)?;
        let output = child.wait_with_output().map_err(pipe_error)?;
        self.check(output.status, program, String::new())?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn begin(&self, command: &Command) -> Result<File, Error> {
        tracing::debug!(step = self.step.name(), ?command, "running");
        let open = || {
            let mut log = File::options().create(true).append(true).open(self.log)?;
            writeln!(log, "+ {command:?}")?;
            Ok(log)
        };
        open().map_err(Error::path::<io::Error>("write", self.log))
    }

    fn spawn(&self, command: &mut Command) -> Result<Child, Error> {
        let tool = command.get_program().to_string_lossy().into_owned();
        command
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command.spawn().map_err(|source| match source.kind() {
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

    fn follow(
        &self,
        output: PipeReader,
        log: &mut File,
        progress: Progress<'_>,
    ) -> Result<String, Error> {
        let mut tail = VecDeque::new();
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(pipe_error)?;
            let line = String::from_utf8_lossy(&line).into_owned();
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

    fn finish(&self, mut child: Child, program: String, tail: String) -> Result<(), Error> {
        let status = child.wait().map_err(pipe_error)?;
        self.check(status, program, tail)
    }

    fn check(&self, status: ExitStatus, program: String, tail: String) -> Result<(), Error> {
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

/// Makes a short text for people out of a line of output.
pub(super) type Progress<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// For programs whose output says nothing to people.
pub(super) const NO_PROGRESS: Progress<'static> = &|_| None;

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
