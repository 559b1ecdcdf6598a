//! Running transfers as one bar with bytes and rate.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use kind::Progress;

/// The rate is that of the last few seconds.
const RATE_WINDOW: Duration = Duration::from_secs(3);
/// Closer samples say nothing more.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(200);
const BAR_WIDTH: usize = 24;

/// Transfers that run at the same time, seen as one.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// The last report of each, by its name.
    parts: BTreeMap<String, Progress>,
    samples: VecDeque<(Instant, u64)>,
}

impl Transfers {
    /// Takes a report that came at `now`.
    pub(super) fn record_progress(&mut self, progress: Progress, now: Instant) {
        if self.is_finished() {
            self.parts.clear();
            self.samples.clear();
        }
        self.parts.insert(progress.what.clone(), progress);
        let recent = self.samples.back();
        if recent.is_none_or(|(at, _)| now.duration_since(*at) >= SAMPLE_INTERVAL) {
            self.samples.push_back((now, self.done()));
        }
        while matches!(self.samples.get(1), Some((at, _)) if now.duration_since(*at) > RATE_WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Whether nothing is left to move.
    pub(super) fn is_finished(&self) -> bool {
        self.parts.values().all(Progress::is_finished)
    }

    /// What is moved: the name of the only transfer, or how many there are.
    pub(super) fn title(&self) -> String {
        match self.parts.len() {
            1 => self.parts.keys().next().cloned().unwrap_or_default(),
            count => format!("{count} transfers"),
        }
    }

    /// Bar, bytes and rate.
    pub(super) fn progress_text(&self, now: Instant) -> String {
        let done = self.done();
        let rate = match self.rate(now) {
            Some(rate) => format!("  {}/s", format_bytes(rate)),
            None => String::new(),
        };
        match self.total() {
            Some(total) => format!(
                "[{}] {} / {}{rate}",
                draw_bar(done, total),
                format_bytes(done),
                format_bytes(total)
            ),
            None => format!("{}{rate}", format_bytes(done)),
        }
    }

    fn done(&self) -> u64 {
        let parts = self.parts.values();
        parts.fold(0, |sum, part| sum.saturating_add(part.done))
    }

    /// All there is to move; `None` as long as that is not known of every transfer.
    fn total(&self) -> Option<u64> {
        let mut parts = self.parts.values();
        parts.try_fold(0_u64, |sum, part| Some(sum.saturating_add(part.total?)))
    }

    /// Bytes in a second; `None` as long as there is too little to tell from.
    fn rate(&self, now: Instant) -> Option<u64> {
        let (at, before) = self.samples.front()?;
        let millis = u64::try_from(now.duration_since(*at).as_millis()).ok()?;
        let moved = self.done().saturating_sub(*before);
        (millis >= 500).then(|| moved.saturating_mul(1000) / millis)
    }
}

fn draw_bar(done: u64, total: u64) -> String {
    let share = u128::from(done.min(total)) * BAR_WIDTH as u128 / u128::from(total.max(1));
    let filled = usize::try_from(share).unwrap_or(BAR_WIDTH);
    let head = if filled < BAR_WIDTH { ">" } else { "" };
    let rest = " ".repeat(BAR_WIDTH - filled - head.len());
    format!("{}{head}{rest}", "=".repeat(filled))
}

/// A number of bytes for a reader, in decimal units.
pub(crate) fn format_bytes(count: u64) -> String {
    let (unit, name) = match count {
        0..1_000 => return format!("{count} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", count / unit, count % unit * 10 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_decimal() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (7_990_000_000, "7.9 GB"),
        ] {
            assert_eq!(format_bytes(count), text);
        }
    }

    #[test]
    fn a_bar_is_always_as_wide() {
        assert_eq!(draw_bar(0, 10), ">                       ");
        assert_eq!(draw_bar(5, 10), "============>           ");
        assert_eq!(draw_bar(10, 10), "=".repeat(24));
        assert_eq!(draw_bar(20, 10), "=".repeat(24));
        assert_eq!(draw_bar(0, 0), ">                       ");
        assert_eq!(draw_bar(u64::MAX, u64::MAX).len(), 24);
    }

    #[test]
    fn transfers_at_once_are_summed_up() {
        let begin = Instant::now();
        let mut transfers = Transfers::default();
        transfers.record_progress(Progress::new("a", 0, Some(6_000_000)), begin);
        assert_eq!(transfers.title(), "a");
        transfers.record_progress(Progress::new("b", 1_000_000, None), begin);
        assert_eq!(transfers.progress_text(begin), "1.0 MB");
        let later = begin + Duration::from_secs(1);
        transfers.record_progress(Progress::new("b", 2_000_000, Some(2_000_000)), later);
        transfers.record_progress(Progress::new("a", 2_000_000, Some(6_000_000)), later);
        assert_eq!(transfers.title(), "2 transfers");
        let expected = "[============>           ] 4.0 MB / 8.0 MB  4.0 MB/s";
        assert_eq!(transfers.progress_text(later), expected);
        assert!(!transfers.is_finished());
    }

    #[test]
    fn what_comes_after_the_end_is_new() {
        let now = Instant::now();
        let mut transfers = Transfers::default();
        transfers.record_progress(Progress::new("a", 5, Some(5)), now);
        assert!(transfers.is_finished());
        transfers.record_progress(Progress::new("b", 1, Some(5)), now);
        assert_eq!((transfers.title().as_str(), transfers.done()), ("b", 1));
    }
}
