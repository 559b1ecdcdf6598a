//! The programs that run for a request, so that all of them can be ended at once.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::capture::Capture;
use crate::mutex::lock_mutex;

/// How long a program may take to end when it is asked to.
const TERMINATION_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the output of an ended program is awaited: something it left in the background may
/// hold the stream open for ever.
const OUTPUT_TIMEOUT: Duration = Duration::from_millis(200);

/// All running programs of a request.
#[derive(Default)]
pub(super) struct Programs {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ended: bool,
    groups: Vec<Pid>,
}

/// How a program ended.
pub(super) struct Outcome {
    /// `None` if it was ended at its deadline.
    pub(super) status: Option<ExitStatus>,
    /// What it printed.
    pub(super) output: String,
}

impl Programs {
    /// Runs a program to its end or to the deadline, whichever comes first.
    pub(super) fn run_program(
        &self,
        argv: &[String],
        stdin: Option<&str>,
        deadline: Option<Instant>,
    ) -> io::Result<Outcome> {
        let (reader, writer) = io::pipe()?;
        let (program, arguments) = argv
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is named"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(stdin.map_or_else(Stdio::null, |_| Stdio::piped()))
            .stderr(writer.try_clone()?)
            .stdout(writer);
        let mut child = self.start_program(&mut command)?;
        // The command holds the stream's writing ends, which would keep it from ending.
        drop(command);
        let output = Output::collect(reader);
        let status = self.await_program(&mut child, stdin, deadline);
        self.forget_program(&child);
        Ok(Outcome {
            status: status?,
            output: output.text(),
        })
    }

    /// Ends everything that runs, and lets nothing start any more. Tells whether this call was the
    /// first to do so.
    pub(super) fn end_programs(&self) -> bool {
        let mut state = self.lock_state();
        let first = !std::mem::replace(&mut state.ended, true);
        for group in &state.groups {
            // It may have ended by itself.
            let _ = kill_process_group(*group, Signal::TERM);
        }
        self.changed.notify_all();
        first
    }

    /// Whether [`Self::end_programs`] was called.
    pub(super) fn have_ended(&self) -> bool {
        self.lock_state().ended
    }

    /// Waits until [`Self::end_programs`] was called.
    pub(super) fn wait_for_end(&self) {
        let state = self.lock_state();
        let waited = self.changed.wait_while(state, |state| !state.ended);
        drop(waited);
    }

    /// Kills what did not end within its grace.
    pub(super) fn kill_stragglers(&self) {
        let state = self.lock_state();
        let waited = self
            .changed
            .wait_timeout_while(state, TERMINATION_TIMEOUT, |state| !state.groups.is_empty());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for group in &state.groups {
            // It may have ended by itself.
            let _ = kill_process_group(*group, Signal::KILL);
        }
    }

    /// Sleeps, but no longer than until the end of the request; tells whether it goes on.
    pub(super) fn sleep(&self, time: Duration) -> bool {
        let state = self.lock_state();
        let waited = self
            .changed
            .wait_timeout_while(state, time, |state| !state.ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.ended
    }

    /// Starts a program in a process group of its own, so that what it starts ends with it.
    fn start_program(&self, command: &mut Command) -> io::Result<Child> {
        let mut state = self.lock_state();
        if state.ended {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the request was ended",
            ));
        }
        let child = command.process_group(0).spawn()?;
        state.groups.extend(group_of(&child));
        Ok(child)
    }

    /// Feeds a program and waits for it.
    fn await_program(
        &self,
        child: &mut Child,
        stdin: Option<&str>,
        deadline: Option<Instant>,
    ) -> io::Result<Option<ExitStatus>> {
        let input = child.stdin.take();
        thread::scope(|scope| {
            if let (Some(mut input), Some(text)) = (input, stdin) {
                // A program need not read what it is given.
                scope.spawn(move || drop(input.write_all(text.as_bytes())));
            }
            if deadline.is_some_and(|deadline| !ends_before(child, deadline)) {
                if let Some(group) = group_of(child) {
                    // It may have ended by itself.
                    let _ = kill_process_group(group, Signal::KILL);
                }
                child.wait()?;
                return Ok(None);
            }
            child.wait().map(Some)
        })
    }

    fn forget_program(&self, child: &Child) {
        let ended = group_of(child);
        self.lock_state()
            .groups
            .retain(|group| Some(*group) != ended);
        self.changed.notify_all();
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        lock_mutex(&self.state)
    }
}

/// The output of one program, collected beside it.
struct Output {
    capture: Arc<Mutex<Capture>>,
    ended: mpsc::Receiver<()>,
}

impl Output {
    fn collect(mut reader: impl Read + Send + 'static) -> Self {
        let capture = Arc::new(Mutex::new(Capture::default()));
        let (end, ended) = mpsc::channel::<()>();
        let shared = Arc::clone(&capture);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            // Dropped at the end, which is the message.
            let _end = end;
            while let Ok(size @ 1..) = reader.read(&mut buffer) {
                let mut capture = lock_mutex(&shared);
                capture.push(&buffer[..size]);
            }
        });
        Self { capture, ended }
    }

    fn text(&self) -> String {
        // Either everything was read, or the rest is not from the program itself.
        let (Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout)) =
            self.ended.recv_timeout(OUTPUT_TIMEOUT);
        let capture = lock_mutex(&self.capture);
        capture.captured_text()
    }
}

/// The process group of a program, which is named after its first process.
fn group_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Waits until the program has ended or the deadline is reached; tells whether it has ended.
fn ends_before(child: &Child, deadline: Instant) -> bool {
    let Some(pid) = group_of(child) else {
        return true;
    };
    // Without a handle on the process there is nothing better than waiting for it.
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
        return true;
    };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(timeout) = Timespec::try_from(left) else {
            return true;
        };
        let mut descriptors = [PollFd::new(&handle, PollFlags::IN)];
        match poll(&mut descriptors, Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn both_streams_and_the_input_are_one_story() {
        let programs = Programs::default();
        let argv = argv(&["sh", "-c", "cat; echo err >&2; echo out; exit 3"]);
        let outcome = programs.run_program(&argv, Some("in\n"), None).unwrap();
        assert_eq!(outcome.status.unwrap().code(), Some(3));
        assert_eq!(outcome.output, "in\nerr\nout\n");
    }

    #[test]
    fn an_input_nobody_reads_does_no_harm() {
        let programs = Programs::default();
        let text = "x".repeat(1 << 20);
        let outcome = programs
            .run_program(&argv(&["true"]), Some(&text), None)
            .unwrap();
        assert!(outcome.status.unwrap().success());
    }

    #[test]
    fn a_background_program_that_keeps_the_stream_open_is_not_awaited() {
        let programs = Programs::default();
        let begin = Instant::now();
        let argv = argv(&["sh", "-c", "sleep 5 & echo done"]);
        let outcome = programs.run_program(&argv, None, None).unwrap();
        assert_eq!(outcome.output, "done\n");
        assert!(begin.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn a_deadline_ends_the_whole_group() {
        let programs = Programs::default();
        let deadline = Instant::now() + Duration::from_millis(100);
        let argv = argv(&["sh", "-c", "sleep 60; true"]);
        let outcome = programs.run_program(&argv, None, Some(deadline)).unwrap();
        assert!(outcome.status.is_none());
        assert!(Instant::now() < deadline + Duration::from_secs(5));
    }

    #[test]
    fn ending_the_request_ends_running_programs_and_starts_no_more() {
        let programs = Programs::default();
        thread::scope(|scope| {
            let running = scope.spawn(|| {
                let argv = argv(&["sleep", "60"]);
                programs.run_program(&argv, None, None).unwrap()
            });
            thread::sleep(Duration::from_millis(100));
            assert!(programs.end_programs());
            assert!(!programs.end_programs());
            let outcome = running.join().unwrap();
            assert!(!outcome.status.unwrap().success());
        });
        assert!(programs.run_program(&argv(&["true"]), None, None).is_err());
    }
}
