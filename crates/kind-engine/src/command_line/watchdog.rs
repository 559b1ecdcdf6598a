//! A limit for every call of an engine's program. While the engine answers, what brings images or runs in a node may
//! take as long as it takes; what is silent is ended when the engine itself does not answer any more.

use std::io::{self, Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::liveness::{Liveness, Pulse, end_group};
use super::mutex::lock_mutex;
use crate::Error;

/// For what changes containers: slow storage copies whole images.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// First words of calls that only ask, or make what costs nothing.
const QUESTIONS: [&str; 8] = [
    "-v", "version", "info", "inspect", "ps", "images", "network", "volume",
];
/// First words of calls that change containers.
const CHANGES: [&str; 5] = ["create", "start", "stop", "rm", "update"];

/// Begins a call that deletes whole trees of files.
const REMOVES_VOLUMES: [&str; 2] = ["volume", "rm"];

/// How long a call may take while the engine answers, which answers a question within this time.
pub(super) fn limit_of(arguments: &[&str], question: Duration) -> Option<Duration> {
    let first = arguments.first()?;
    if arguments.starts_with(&REMOVES_VOLUMES) {
        Some(CHANGE_TIMEOUT)
    } else if QUESTIONS.contains(first) {
        Some(question)
    } else {
        CHANGES.contains(first).then_some(CHANGE_TIMEOUT)
    }
}

/// Whether how long a call takes tells how fast the engine answers.
pub(super) fn is_question(arguments: &[&str]) -> bool {
    matches!(
        arguments.first(),
        Some(&("version" | "info" | "inspect" | "ps"))
    )
}

/// Why a call was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Neither the call nor the engine has said anything for this time.
    Silent(Duration),
    /// The engine is gone: what its program said.
    Gone(String),
    /// The engine answers, and the call has not ended within this time.
    Stuck(Duration),
}

/// A program that runs and is watched.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) child: Child,
    watched: Arc<Watched>,
    /// Dropped when the call has ended, which ends its watching.
    _ended: Sender<()>,
}

#[derive(Debug)]
struct Watched {
    liveness: Arc<Liveness>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    last_sign: Instant,
    /// The process, as long as it may be ended: its number may be another's afterwards.
    process: Option<u32>,
    verdict: Option<Verdict>,
}

impl Call {
    /// Watches a program that was just started as the first of its process group.
    pub(super) fn watch(child: Child, liveness: Arc<Liveness>, limit: Option<Duration>) -> Self {
        let watched = Arc::new(Watched {
            liveness,
            state: Mutex::new(State {
                last_sign: Instant::now(),
                process: Some(child.id()),
                verdict: None,
            }),
        });
        let (ended, ends) = mpsc::channel::<()>();
        let watching = Arc::clone(&watched);
        thread::spawn(move || {
            let deadline = limit.map(|limit| (Instant::now() + limit, limit));
            while let Err(RecvTimeoutError::Timeout) = ends.recv_timeout(watching.pause(deadline)) {
                if let Some(verdict) = watching.judge(deadline) {
                    return watching.end(verdict);
                }
            }
        });
        Self {
            child,
            watched,
            _ended: ended,
        }
    }

    /// A stream of the call; what comes or goes through it shows that the call goes on.
    pub(super) fn hear<S>(&self, stream: S) -> Heard<S> {
        Heard {
            stream,
            watched: Arc::clone(&self.watched),
        }
    }

    /// Waits for the program's end, and tells why it was ended if it was.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn wait(&mut self) -> Result<Result<ExitStatus, Verdict>, Error> {
        let failed = || Error::io("wait for the engine's program");
        await_exit(&self.child).map_err(failed())?;
        let mut state = lock_mutex(&self.watched.state);
        state.process = None;
        let status = self.child.wait().map_err(failed())?;
        match state.verdict.take() {
            // It may have ended by itself at the last moment.
            Some(verdict) if !status.success() => Ok(Err(verdict)),
            _ => Ok(Ok(status)),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        lock_mutex(&self.watched.state).process = None;
    }
}

/// Waits until the process has ended, and leaves its number to it.
#[cfg(unix)]
fn await_exit(child: &Child) -> io::Result<()> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid), options) {
            Err(rustix::io::Errno::INTR) => {}
            // It was waited for before.
            Err(rustix::io::Errno::CHILD) => return Ok(()),
            other => return other.map(drop).map_err(io::Error::from),
        }
    }
}

#[cfg(not(unix))]
fn await_exit(_: &Child) -> io::Result<()> {
    Ok(())
}

impl Watched {
    fn note_sign(&self) {
        lock_mutex(&self.state).last_sign = Instant::now();
        self.liveness.note_sign();
    }

    /// Until when there is nothing to judge.
    fn pause(&self, deadline: Option<(Instant, Duration)>) -> Duration {
        let silent = lock_mutex(&self.state).last_sign.elapsed();
        // Who was silent for long is asked about again after the same time.
        let patience = self.liveness.silence();
        let rest = patience.saturating_sub(silent);
        let rest = if rest.is_zero() { patience } else { rest };
        let left = deadline.map(|(then, _)| then.saturating_duration_since(Instant::now()));
        rest.min(left.unwrap_or(rest))
    }

    /// Whether the call is to be ended, and why.
    fn judge(&self, deadline: Option<(Instant, Duration)>) -> Option<Verdict> {
        let last_sign = lock_mutex(&self.state).last_sign;
        if last_sign.elapsed() >= self.liveness.silence() {
            let pulse = self.liveness.ask();
            // It may have gone on meanwhile, or another call may have.
            let is_alone = lock_mutex(&self.state).last_sign == last_sign;
            match pulse {
                Pulse::Silent(_) if is_alone => return Some(Verdict::Silent(last_sign.elapsed())),
                Pulse::Gone(words) if is_alone => return Some(Verdict::Gone(words)),
                _ => {}
            }
        }
        let (then, limit) = deadline?;
        (Instant::now() >= then).then_some(Verdict::Stuck(limit))
    }

    fn end(&self, verdict: Verdict) {
        let mut state = lock_mutex(&self.state);
        if let Some(process) = state.process {
            state.verdict = Some(verdict);
            end_group(process);
        }
    }
}

/// A stream whose bytes show that a call goes on.
#[derive(Debug)]
pub(super) struct Heard<S> {
    stream: S,
    watched: Arc<Watched>,
}

impl<S: Read> Read for Heard<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        if length > 0 {
            self.watched.note_sign();
        }
        Ok(length)
    }
}

impl<S: Write> Write for Heard<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.stream.write(bytes)?;
        // The engine may not have seen it yet.
        lock_mutex(&self.watched.state).last_sign = Instant::now();
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_much_has_more_time_than_a_question() {
        let question = Duration::from_secs(60);
        for (call, limit) in [
            ("volume create a", Some(question)),
            ("volume rm a", Some(CHANGE_TIMEOUT)),
            ("volume rm --force a", Some(CHANGE_TIMEOUT)),
            ("rm -f -v a", Some(CHANGE_TIMEOUT)),
            ("exec a b", None),
            ("", None),
        ] {
            let arguments: Vec<_> = call.split_whitespace().collect();
            assert_eq!(limit_of(&arguments, question), limit, "{call}");
        }
    }
}
