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
        // Who started the command with a signal ignored (`nohup`, a shell's background job) wants it so.
        let ignored = ignored_signals();
        let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter();
        let heeded = heeded.filter(|signal| ignored & (1 << (signal - 1)) == 0);
        let mut signals = match signal_hook::iterator::Signals::new(heeded) {
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
                interrupt.heed_interrupt(provider.as_deref(), &ui);
            }
        });
    }

    /// Begins to listen; not on this platform yet.
    #[cfg(not(unix))]
    pub(crate) fn listen(&self, _provider: Option<&str>, _ui: &Arc<Ui>) {}

    /// Does what one interrupt asks for.
    #[cfg(unix)]
    fn heed_interrupt(&self, provider: Option<&str>, ui: &Ui) {
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

/// The signals that this process was started to ignore, a bit for each; none where that cannot be told.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default()
}
