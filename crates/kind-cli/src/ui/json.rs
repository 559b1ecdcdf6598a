//! Events as lines of JSON.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use kind::{EventRecord, redact_document, timestamp};

use crate::document::{self, EventLine};

/// A transfer is told of no more often than this.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Says how far transfers have come, but not too often.
#[derive(Debug, Default)]
pub(super) struct Pace {
    told: Mutex<BTreeMap<String, Instant>>,
}

impl Pace {
    /// Whether a record is to be told at `now`; the first and the last of a transfer always are.
    pub(super) fn lets_through(&self, record: &EventRecord, now: Instant) -> bool {
        let EventRecord::Progress { what, done, total } = record else {
            return true;
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if total.is_some_and(|total| *done >= total) {
            told.remove(what);
            return true;
        }
        let recent = told
            .get(what)
            .is_some_and(|at| now.duration_since(*at) < PROGRESS_INTERVAL);
        if !recent {
            told.insert(what.clone(), now);
        }
        !recent
    }
}

/// A record without secrets in its words. The line that it becomes is one long text: names do not stand at the
/// beginning of a line there.
pub(super) fn redact_record(mut record: EventRecord) -> EventRecord {
    let redact = |text: &mut String| *text = redact_document(text).into_owned();
    match &mut record {
        EventRecord::Note { text } | EventRecord::Warning { text } => redact(text),
        EventRecord::Message { text, about, .. } => {
            redact(text);
            about.fields.values_mut().for_each(redact);
        }
        _ => {}
    }
    record
}

/// A record as one line.
pub(super) fn event_line(event: EventRecord) -> String {
    document::document_line(&EventLine {
        time: timestamp(SystemTime::now()),
        event,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers_are_told_of_now_and_then() {
        let pace = Pace::default();
        let now = Instant::now();
        let report = |done| EventRecord::Progress {
            what: "a".to_owned(),
            done,
            total: Some(9),
        };
        assert!(pace.lets_through(&report(0), now));
        assert!(!pace.lets_through(&report(1), now));
        assert!(pace.lets_through(&report(2), now + PROGRESS_INTERVAL));
        assert!(pace.lets_through(&report(9), now + PROGRESS_INTERVAL));
        assert!(pace.lets_through(&EventRecord::NotReady {}, now));
    }
}
