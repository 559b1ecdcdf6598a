//! Events kept with their moments.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::{parse_timestamp, timestamp};
use super::{Event, EventRecord, Verbosity};

/// An event and when it came. As JSON it is the event's object with the moment before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordedEvent {
    /// When it came.
    #[serde(serialize_with = "write_moment", deserialize_with = "read_moment")]
    pub time: SystemTime,
    /// The event.
    #[serde(flatten)]
    pub event: EventRecord,
}

/// The events of an operation, as they come. Finer details and what comes often are left out.
#[derive(Debug)]
pub struct Recording {
    begin: SystemTime,
    events: Mutex<Vec<RecordedEvent>>,
}

/// Finer details are in files of their own, or too long.
const FINEST: Verbosity = Verbosity::Steps;

impl Recording {
    /// A recording that begins now.
    pub fn begin() -> Self {
        Self {
            begin: SystemTime::now(),
            events: Mutex::default(),
        }
    }

    /// When it began.
    pub fn began(&self) -> SystemTime {
        self.begin
    }

    /// Keeps an event.
    pub fn record_event(&self, event: &Event) {
        let kept = match event {
            Event::Progress(_) | Event::Note { .. } => false,
            Event::Detail(detail) => detail.level <= FINEST,
            _ => true,
        };
        if kept {
            self.lock().push(RecordedEvent {
                time: SystemTime::now(),
                event: event.into(),
            });
        }
    }

    /// All that was kept.
    pub fn events(&self) -> Vec<RecordedEvent> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RecordedEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_moment<S: Serializer>(moment: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&timestamp(*moment))
}

fn read_moment<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(from)?;
    let unread = || serde::de::Error::custom(format!("{text:?} is no moment"));
    parse_timestamp(&text).ok_or_else(unread)
}
