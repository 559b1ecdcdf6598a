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

/// Runs checks at once. One that has not ended after `limit` is left alone, and told.
pub(super) fn run_entries<T: Send + Sync + 'static>(
    entries: impl IntoIterator<Item = &'static Entry<T>>,
    subject: &Arc<T>,
    limit: Duration,
) -> Vec<Examined> {
    let deadline = Instant::now() + limit;
    let running: Vec<_> = entries
        .into_iter()
        .map(|entry| (entry, begin(entry, Arc::clone(subject))))
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

fn begin<T: Send + Sync + 'static>(
    entry: &'static Entry<T>,
    subject: Arc<T>,
) -> mpsc::Receiver<Outcome> {
    let (sender, receiver) = mpsc::channel();
    // Nobody hears it who does not wait any more.
    thread::spawn(move || drop(sender.send((entry.look)(&subject))));
    receiver
}

fn late(limit: Duration) -> Outcome {
    Problem::warning(
        format!("the check has not ended after {limit:?}"),
        "an answer at once",
        "see whether the host is overloaded, or whether what the check asks hangs",
    )
    .into()
}
