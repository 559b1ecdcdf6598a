//! How much of a node is exported, whatever the node does.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What may come from one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of all files.
    pub(super) bytes: u64,
    /// Files and directories below `/var/log`.
    pub(super) entries: u64,
    /// How long one thing may take.
    pub(super) each: Duration,
    /// How long everything may take.
    pub(super) all: Duration,
}

impl Bounds {
    /// Far more than nodes have, unless they want to fill the disk.
    pub(super) const USUAL: Self = Self {
        bytes: 4 << 30,
        entries: 100_000,
        // Commands have a limit of their own in the node, which keeps what there is by then.
        each: Duration::from_secs(90),
        all: Duration::from_secs(600),
    };
}

/// What is left of a node's bounds.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    bounds: Bounds,
    begun: Instant,
    bytes: Arc<AtomicU64>,
}

impl Budget {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            begun: Instant::now(),
            bytes: Arc::new(AtomicU64::new(bounds.bytes)),
        }
    }

    /// How long the next thing may take.
    pub(super) fn time_left(&self) -> Duration {
        let left = self.bounds.all.saturating_sub(self.begun.elapsed());
        left.min(self.bounds.each)
    }

    /// Files and directories that may come in a stream.
    pub(super) fn entries(&self) -> u64 {
        self.bounds.entries
    }

    /// A writer that ends with the budget, or when `over` is set.
    pub(super) fn writer<W: Write>(&self, inner: W, over: &Arc<AtomicBool>) -> BoundedWriter<W> {
        BoundedWriter {
            inner,
            bytes: Arc::clone(&self.bytes),
            most: self.bounds.bytes,
            over: Arc::clone(over),
        }
    }
}

/// Writes as much as there is room for.
#[derive(Debug)]
pub(super) struct BoundedWriter<W> {
    inner: W,
    bytes: Arc<AtomicU64>,
    most: u64,
    over: Arc<AtomicBool>,
}

impl<W: Write> Write for BoundedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.over.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let length = bytes.len() as u64;
        let take = |left: u64| left.checked_sub(length);
        let taken = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        if taken.is_err() {
            let text = format!("a node may have {} MiB of logs", self.most >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        self.inner.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_share_a_budget_and_end_with_it() {
        let bounds = Bounds {
            bytes: 10,
            ..Bounds::USUAL
        };
        let (budget, over) = (Budget::new(bounds), Arc::default());
        let mut one = budget.writer(Vec::new(), &over);
        let mut other = budget.writer(Vec::new(), &over);
        one.write_all(b"123456").unwrap();
        assert!(other.write_all(b"12345").is_err());
        other.write_all(b"1234").unwrap();
        let error = one.write_all(b"1").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!((one.inner.len(), other.inner.len()), (6, 4));
    }

    #[test]
    fn nothing_is_written_by_what_has_taken_too_long() {
        let (budget, over) = (Budget::new(Bounds::USUAL), Arc::default());
        let mut writer = budget.writer(Vec::new(), &over);
        over.store(true, Ordering::Relaxed);
        let error = writer.write_all(b"1").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(budget.time_left() <= Bounds::USUAL.each);
    }
}
