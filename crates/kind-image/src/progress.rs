//! How far a transfer has come.

/// A number of bytes that has been moved so far.
///
/// A transfer reports itself as often as it likes; who listens decides how often to look. The last
/// report of a transfer has `done` equal to `total`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is moved, in a few words; the same in every report of one transfer and different for
    /// transfers that run at once.
    pub what: String,
    /// Bytes that have been moved.
    pub done: u64,
    /// Bytes there are to move, once that is known.
    pub total: Option<u64>,
}

impl Progress {
    /// A report of the transfer called `what`.
    pub fn new(what: impl Into<String>, done: u64, total: Option<u64>) -> Self {
        Self {
            what: what.into(),
            done,
            total,
        }
    }

    /// Whether nothing is left to move.
    pub fn is_finished(&self) -> bool {
        self.total.is_some_and(|total| self.done >= total)
    }
}

/// Hears how far transfers have come; may be called from several threads.
pub type ProgressSink<'a> = &'a (dyn Fn(Progress) + Sync);
