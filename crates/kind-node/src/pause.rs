//! The first process of a pod: holds the namespaces, reaps orphans, ends when asked to. In: signals. Out: nothing.
//!
//! One of it runs in every pod, so it has no runtime and no threads of its own.

use std::process::ExitCode;

use rustix::process::{WaitOptions, wait};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Waits until SIGTERM or SIGINT; meanwhile orphans are reaped.
pub(crate) fn hold_namespaces() -> ExitCode {
    let Ok(mut signals) = Signals::new([SIGCHLD, SIGINT, SIGTERM]) else {
        return ExitCode::FAILURE;
    };
    // Children that ended before the handler stood raise no signal any more.
    reap_children();
    for signal in signals.forever() {
        match signal {
            SIGCHLD => reap_children(),
            _ => break,
        }
    }
    ExitCode::SUCCESS
}

/// Takes the exit status of every child that has ended.
fn reap_children() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}
