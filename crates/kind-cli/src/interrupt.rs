//! Ctrl-C: the first asks the running operation to stop, the second ends the command at once.

use std::sync::Arc;

use kind::CancelToken;

use crate::ui::Ui;

/// Begins to listen; `cancel` is set when the user interrupts.
#[cfg(unix)]
pub(crate) fn listen(cancel: &CancelToken, ui: &Arc<Ui>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = match signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) {
        Ok(signals) => signals,
        Err(error) => {
            tracing::warn!(%error, "cannot listen for interrupts");
            return;
        }
    };
    let (cancel, ui) = (cancel.clone(), Arc::clone(ui));
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if cancel.is_cancelled() {
                #[expect(clippy::exit, reason = "the user does not want to wait for anything")]
                std::process::exit(i32::from(crate::exit::Exit::Interrupted.code()));
            }
            ui.warn("Interrupted, cleaning up ... (once more to leave at once)");
            cancel.cancel();
        }
    });
}

/// Begins to listen; not on this platform yet.
#[cfg(not(unix))]
pub(crate) fn listen(_cancel: &CancelToken, _ui: &Arc<Ui>) {}
