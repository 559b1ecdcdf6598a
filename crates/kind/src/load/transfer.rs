//! How far a node is that gets images.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use kind_image::Progress;

use crate::event::{Detail, Event, Listener, Verbosity};

/// Bytes on their way to a node.
pub(super) struct Transfer<'a> {
    node: &'a str,
    total: u64,
    sent: AtomicU64,
}

impl<'a> Transfer<'a> {
    /// Nothing was sent yet.
    pub(super) fn new(node: &'a str, total: u64) -> Self {
        Self {
            node,
            total,
            sent: AtomicU64::new(0),
        }
    }

    /// Notes how many bytes were sent so far.
    pub(super) fn note_sent(&self, sent: u64) -> Progress {
        self.sent.store(sent, Ordering::Relaxed);
        // Headers and documents count too; the end is told when the node has taken everything.
        let done = sent.min(self.total.saturating_sub(1));
        Progress::new(self.node, done, Some(self.total))
    }

    /// Does the work, and says each time that so long has passed how far it is.
    pub(super) fn tell_while_slow<R>(
        &self,
        interval: Duration,
        listener: Listener<'_>,
        work: impl FnOnce() -> R,
    ) -> R {
        let (done, is_done) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(|| {
                let begin = Instant::now();
                let is_done = is_done;
                while is_done.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    let text = self.describe(begin.elapsed());
                    let detail = Detail::new(Verbosity::Normal, text).of_node(self.node);
                    listener(Event::Detail(detail));
                }
            });
            let worked = work();
            drop(done);
            worked
        })
    }

    fn describe(&self, elapsed: Duration) -> String {
        let (node, seconds) = (self.node, elapsed.as_secs());
        let sent = self.sent.load(Ordering::Relaxed);
        let total = in_megabytes(self.total);
        let far = if sent < self.total {
            format!("{} of {total} MB are sent", in_megabytes(sent))
        } else {
            format!("all {total} MB are sent, and it unpacks them")
        };
        format!("Still loading into node {node:?} after {seconds} s: {far}")
    }
}

fn in_megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_slow_node_is_told_how_far_it_is() {
        let transfer = Transfer::new("kind-worker", 90_000_000);
        let told = Mutex::new(Vec::new());
        let listener = |event| {
            if let Event::Detail(detail) = event {
                told.lock().unwrap().push(detail.text);
            }
        };
        let has_told = |count| move |told: &Vec<String>| told.len() >= count;
        let wait_for = |enough: &dyn Fn(&Vec<String>) -> bool| {
            while !enough(&told.lock().unwrap()) {
                thread::sleep(Duration::from_millis(1));
            }
        };
        let worked = transfer.tell_while_slow(Duration::from_millis(5), &listener, || {
            transfer.note_sent(12_340_000);
            wait_for(&has_told(1));
            transfer.note_sent(92_340_000);
            let before = told.lock().unwrap().len();
            wait_for(&has_told(before + 2));
            "done"
        });
        assert_eq!(worked, "done");
        let told = told.into_inner().unwrap();
        let begins = "Still loading into node \"kind-worker\" after 0 s: ";
        assert!(
            told.contains(&format!("{begins}12.3 of 90.0 MB are sent")),
            "{told:?}"
        );
        assert!(told.contains(&format!(
            "{begins}all 90.0 MB are sent, and it unpacks them"
        )));
    }

    #[test]
    fn a_quick_node_is_not_spoken_of() {
        let transfer = Transfer::new("kind-worker", 1);
        let worked =
            transfer.tell_while_slow(Duration::from_secs(60), &|event| panic!("{event:?}"), || 7);
        assert_eq!(worked, 7);
    }
}
