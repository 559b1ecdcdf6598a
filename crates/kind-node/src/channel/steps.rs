//! The steps of a request, one after the other or several sequences at once.

use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use kind_node::request::{Event, Step, StepId};

use super::programs::{Outcome, Programs};
use super::report::Report;

/// How long to wait before a program is tried again.
const PROGRAM_RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// How long to wait before a socket is tried again: a try costs next to nothing.
const SOCKET_RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// The request failed, and the caller was told why.
#[derive(Debug)]
pub(super) struct Failed;

/// A step as its events name it.
#[derive(Clone, Copy)]
struct Named<'a> {
    id: StepId,
    name: &'a str,
}

/// Runs steps for a caller.
#[derive(Clone, Copy)]
pub(super) struct Runner<'a> {
    /// What runs.
    pub(super) programs: &'a Programs,
    /// Who is told.
    pub(super) report: &'a Report,
}

impl Runner<'_> {
    /// Runs a sequence up to its first failure.
    pub(super) fn run_steps(self, steps: &[Step]) -> Result<(), Failed> {
        steps.iter().try_for_each(|step| self.run_step(step))
    }

    fn run_step(self, step: &Step) -> Result<(), Failed> {
        match step {
            Step::Run {
                id,
                name,
                argv,
                stdin,
            } => self.run_program(Named { id: *id, name }, argv, stdin.as_deref()),
            Step::Wait {
                id,
                name,
                argv,
                timeout_ms,
            } => {
                let limit = Duration::from_millis(*timeout_ms);
                self.await_success(Named { id: *id, name }, argv, limit)
            }
            Step::WaitSocket {
                id,
                path,
                timeout_ms,
            } => {
                let step = Named {
                    id: *id,
                    name: path,
                };
                self.wait_socket(step, Duration::from_millis(*timeout_ms))
            }
            Step::Read { id, path } => self.read(Named {
                id: *id,
                name: path,
            }),
            Step::Mark { id } => {
                self.report.send_event(&Event::Marked { id: *id });
                Ok(())
            }
            Step::Together { sequences } => self.run_together(sequences),
        }
    }

    fn run_program(
        self,
        step: Named<'_>,
        argv: &[String],
        stdin: Option<&str>,
    ) -> Result<(), Failed> {
        let begin = self.report_begin(step);
        match self.programs.run_program(argv, stdin, None) {
            Ok(outcome) if has_succeeded(&outcome) => {
                self.finish(step, begin, outcome.output);
                Ok(())
            }
            Ok(outcome) => {
                let reason = outcome.status.map_or_else(String::new, describe_status);
                self.report
                    .fail_step(step.id, step.name, reason, outcome.output);
                Err(Failed)
            }
            Err(error) => self.report_failure(step, cannot_run(argv, &error)),
        }
    }

    fn await_success(
        self,
        step: Named<'_>,
        argv: &[String],
        timeout: Duration,
    ) -> Result<(), Failed> {
        let begin = self.report_begin(step);
        let deadline = begin + timeout;
        loop {
            let outcome = match self.programs.run_program(argv, None, Some(deadline)) {
                Ok(outcome) => outcome,
                Err(error) => return self.report_failure(step, cannot_run(argv, &error)),
            };
            if has_succeeded(&outcome) {
                self.finish(step, begin, outcome.output);
                return Ok(());
            }
            if Instant::now() + PROGRAM_RETRY_INTERVAL >= deadline {
                let last = outcome
                    .status
                    .map_or("still running".to_owned(), describe_status);
                let reason = format!("no success within {timeout:?}; the last try: {last}");
                self.report
                    .fail_step(step.id, step.name, reason, outcome.output);
                return Err(Failed);
            }
            self.pause(PROGRAM_RETRY_INTERVAL)?;
        }
    }

    /// Waits for a socket, whose path the step is named after.
    fn wait_socket(self, step: Named<'_>, timeout: Duration) -> Result<(), Failed> {
        let begin = self.report_begin(step);
        let deadline = begin + timeout;
        loop {
            let error = match UnixStream::connect(step.name) {
                Ok(_) => {
                    self.finish(step, begin, String::new());
                    return Ok(());
                }
                Err(error) => error,
            };
            if Instant::now() >= deadline {
                let reason = format!("nothing listens after {timeout:?}: {error}");
                return self.report_failure(step, reason);
            }
            self.pause(SOCKET_RETRY_INTERVAL)?;
        }
    }

    /// Tells a file, whose path the step is named after.
    fn read(self, step: Named<'_>) -> Result<(), Failed> {
        match std::fs::read_to_string(step.name) {
            Ok(text) => {
                let (id, path) = (step.id, step.name.to_owned());
                self.report.send_event(&Event::File { id, path, text });
                Ok(())
            }
            Err(error) => self.report_failure(step, format!("read: {error}")),
        }
    }

    /// Runs sequences at once. The first failure ends the programs of the others.
    fn run_together(self, sequences: &[Vec<Step>]) -> Result<(), Failed> {
        thread::scope(|scope| {
            let running: Vec<_> = sequences
                .iter()
                .map(|sequence| scope.spawn(move || self.run_steps(sequence)))
                .collect();
            let mut result = Ok(());
            for sequence in running {
                result = sequence.join().unwrap_or(Err(Failed)).and(result);
            }
            result
        })
    }

    fn report_begin(self, step: Named<'_>) -> Instant {
        let (id, name) = (step.id, step.name.to_owned());
        self.report.send_event(&Event::Started { id, name });
        Instant::now()
    }

    fn finish(self, step: Named<'_>, begin: Instant, output: String) {
        self.report.send_event(&Event::Finished {
            id: step.id,
            name: step.name.to_owned(),
            ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
            output,
        });
    }

    fn pause(self, time: Duration) -> Result<(), Failed> {
        // Whoever ended the request has said why, or nobody is there to hear it.
        self.programs.sleep(time).then_some(()).ok_or(Failed)
    }

    fn report_failure(self, step: Named<'_>, reason: String) -> Result<(), Failed> {
        self.report
            .fail_step(step.id, step.name, reason, String::new());
        Err(Failed)
    }
}

fn has_succeeded(outcome: &Outcome) -> bool {
    outcome.status.is_some_and(|status| status.success())
}

fn cannot_run(argv: &[String], error: &std::io::Error) -> String {
    let program = argv.first().map_or("", String::as_str);
    format!("run {program}: {error}")
}

/// How a program ended, in words.
fn describe_status(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
