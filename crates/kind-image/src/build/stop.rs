//! Asking a build to stop, and ending the programs that it runs.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::Error;

/// How often a running program, and the wish to stop, are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long a program that was asked to end may tidy up.
const TIDY_TIMEOUT: Duration = Duration::from_secs(1);

/// A wish that many places may have and a build looks at. Copies are of the same wish.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the build to stop.
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether [`Stop::ask`] was called.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Ends a build here that was asked to stop.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.is_asked() {
            return Err(Error::Stopped);
        }
        Ok(())
    }

    /// Waits for a program that [`set_apart`] was called for; when the build is to stop, the program is ended with
    /// all that it has started.
    pub(super) fn await_end(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let mut asked: Option<Instant> = None;
        loop {
            // Until it is waited for, nobody else has its number.
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            match asked {
                None if self.is_asked() => {
                    end_group(child, Signal::TERM);
                    asked = Some(Instant::now());
                }
                Some(since) if since.elapsed() >= TIDY_TIMEOUT => end_group(child, Signal::KILL),
                _ => {}
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

/// Starts a program in a process group of its own, which a Ctrl-C at the terminal does not reach: whether it ends is
/// decided here. It does not outlive this process.
pub(super) fn set_apart(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(target_os = "linux")]
    kind_sys::process::die_with_parent(command);
}

fn end_group(child: &Child, signal: Signal) {
    if let Err(error) = kill_process_group(Pid::from_child(child), signal) {
        tracing::debug!(%error, "ending a program of the build");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        set_apart(&mut command);
        command.spawn().unwrap()
    }

    #[test]
    fn a_program_ends_with_its_children_when_the_build_is_to_stop() {
        let stop = Stop::default();
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("pid");
        let script = format!("sleep 60 & echo $! >{}; wait", file.display());
        let mut child = start(&script);
        let written = || std::fs::read_to_string(&file).unwrap_or_default();
        while written().trim().is_empty() {
            std::thread::sleep(POLL_INTERVAL);
        }
        stop.ask();
        let began = Instant::now();
        assert!(!stop.await_end(&mut child).unwrap().success());
        assert!(began.elapsed() < Duration::from_secs(20));
        let process = format!("/proc/{}/stat", written().trim());
        let is_gone = || {
            let stat = std::fs::read_to_string(&process);
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        while !is_gone() {
            assert!(began.elapsed() < Duration::from_secs(20), "{process}");
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    #[test]
    fn a_program_that_does_not_listen_is_killed() {
        let stop = Stop::default();
        stop.ask();
        let mut child = start("trap '' TERM; while :; do sleep 0.05; done");
        assert!(!stop.await_end(&mut child).unwrap().success());
    }
}
