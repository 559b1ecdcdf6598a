//! One check as data, and how a table of them runs.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::examination::{CheckDescription, Examined};
use super::outcome::{Outcome, Problem};

/// One check. `T` says where its facts are.
pub(super) struct Entry<T> {
    /// Stays the same between releases, for example `inotify-instances`.
    pub(super) id: &'static str,
    /// What it looks at.
    pub(super) title: &'static str,
    /// What mends it, for the documentation.
    pub(super) remedy: &'static str,
    /// Reads the facts and judges them.
    pub(super) look: fn(&T) -> Outcome,
}

impl<T> Entry<T> {
    /// What the documentation says of it.
    pub(super) fn describe(&self) -> CheckDescription {
        CheckDescription {
            id: self.id,
            title: self.title,
            remedy: self.remedy,
        }
    }
}

/// Runs checks at once. One that has not ended after `limit` is left alone; `late` says what that means.
pub(super) fn run_entries<T: Send + Sync + 'static>(
    entries: impl IntoIterator<Item = &'static Entry<T>>,
    subject: &Arc<T>,
    limit: Duration,
    late: fn(Duration) -> Outcome,
) -> Vec<Examined> {
    let deadline = Instant::now() + limit;
    let running: Vec<_> = entries
        .into_iter()
        .map(|entry| (entry, begin_check(entry, Arc::clone(subject))))
        .collect();
    let ended = running.into_iter().map(|(entry, answer)| {
        let left = deadline.saturating_duration_since(Instant::now());
        let outcome = answer.recv_timeout(left);
        Examined::new(
            entry.id,
            entry.title,
            outcome.unwrap_or_else(|_| late(limit)),
        )
    });
    ended.collect()
}

fn begin_check<T: Send + Sync + 'static>(
    entry: &'static Entry<T>,
    subject: Arc<T>,
) -> mpsc::Receiver<Outcome> {
    let (sender, receiver) = mpsc::channel();
    // Nobody hears it who does not wait any more.
    thread::spawn(move || drop(sender.send((entry.look)(&subject))));
    receiver
}

/// What hangs is told.
pub(super) fn tell_late(limit: Duration) -> Outcome {
    Problem::warning(
        format!("the check has not ended after {limit:?}"),
        "an answer at once",
        "see whether the host is overloaded, or whether what the check asks hangs",
    )
    .into()
}

/// A check that could not be made in time says nothing.
pub(super) fn ignore_late(limit: Duration) -> Outcome {
    Outcome::skipped(format!("it has not ended after {limit:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    static ENTRIES: &[Entry<Duration>] = &[
        Entry {
            id: "hangs",
            title: "what hangs",
            remedy: "",
            look: |time| {
                thread::sleep(*time);
                Outcome::passed("at last")
            },
        },
        Entry {
            id: "panics",
            title: "what is broken",
            remedy: "",
            look: |_| panic!("on purpose"),
        },
        Entry {
            id: "answers",
            title: "what answers",
            remedy: "",
            look: |_| Outcome::passed("well"),
        },
    ];

    #[test]
    fn nobody_waits_for_a_check_that_hangs() {
        let began = Instant::now();
        let (hour, limit) = (
            Arc::new(Duration::from_secs(3600)),
            Duration::from_millis(300),
        );
        let examined = run_entries(ENTRIES, &hour, limit, tell_late);
        assert!(began.elapsed() < Duration::from_secs(60));
        let verdicts: Vec<_> = examined.iter().map(|one| (one.id, one.verdict)).collect();
        let warning = Verdict::Warning;
        let expected = [
            ("hangs", warning),
            ("panics", warning),
            ("answers", Verdict::Passed),
        ];
        assert_eq!(verdicts, expected);
        let told = examined[0].problems[0].to_string();
        assert_eq!(told, "what hangs: the check has not ended after 300ms");
        let ignored = run_entries(&ENTRIES[..1], &hour, Duration::ZERO, ignore_late);
        assert_eq!(ignored[0].verdict, Verdict::Skipped);
    }
}
