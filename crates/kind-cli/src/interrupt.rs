//! Ctrl-C: the first asks the running operation to stop, the second ends the command at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kind::CancelToken;

use crate::ui::Ui;

/// The user's wish to stop, and whether an operation looks at it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    cancel: CancelToken,
    heeded: Arc<AtomicBool>,
}

impl Interrupt {
    /// The token for an operation that stops and cleans up when it is cancelled. Without one, the first interrupt
    /// ends the command at once.
    pub(crate) fn token(&self) -> CancelToken {
        self.heeded.store(true, Ordering::SeqCst);
        self.cancel.clone()
    }

    /// Begins to listen; `provider` is the engine that the user chose, for words about what is left.
    #[cfg(unix)]
    pub(crate) fn listen(&self, provider: Option<&str>, ui: &Arc<Ui>) {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let mut signals = match signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) {
            Ok(signals) => signals,
            Err(error) => {
                tracing::warn!(%error, "cannot listen for interrupts");
                return;
            }
        };
        let (interrupt, ui) = (self.clone(), Arc::clone(ui));
        let provider = provider.map(str::to_owned);
        std::thread::spawn(move || {
            for _ in signals.forever() {
                interrupt.heed(provider.as_deref(), &ui);
            }
        });
    }

    /// Begins to listen; not on this platform yet.
    #[cfg(not(unix))]
    pub(crate) fn listen(&self, _provider: Option<&str>, _ui: &Arc<Ui>) {}

    /// Does what one interrupt asks for.
    #[cfg(unix)]
    fn heed(&self, provider: Option<&str>, ui: &Ui) {
        let is_first = !self.cancel.is_cancelled();
        if is_first && self.heeded.load(Ordering::SeqCst) {
            ui.warn("Interrupted, cleaning up ... (once more to leave at once)");
            self.cancel.cancel();
            return;
        }
        let failure = crate::leaving::left_at_once(&self.cancel.leftovers(), provider);
        ui.failure(&failure);
        // The user does not want to wait for anything.
        std::process::exit(i32::from(failure.exit().code()));
    }
}
