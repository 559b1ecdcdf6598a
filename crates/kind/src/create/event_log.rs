//! What a creation did and how long it took, kept for `export logs`.

use std::fs;
use std::path::Path;

use kind_engine::Engine;
use kind_secret::redact_text;

use crate::event::{Event, Listener, Recording};
use crate::node::{File, copy_in};
use crate::timeline::{Charset, Chart, Timeline};
use crate::{Error, Result};

/// Where the log stands in the node that a cluster began with; `export logs` copies all of `/var/log`.
const DIRECTORY: &str = "/var/log/kind";
/// One event a line.
const EVENTS: &str = "create-events.jsonl";
/// What ran when and where, as a chart.
const TIMINGS: &str = "create-timings.txt";
/// The timeline, as standard viewers of traces open it.
const TRACE: &str = "create-trace.json";
/// How wide the chart of the timings is.
const CHART: Chart = Chart::new(120, Charset::Unicode);

/// The events of a creation, kept while they are handed on.
pub(super) struct EventLog<'a> {
    listener: Listener<'a>,
    recording: Recording,
}

impl<'a> EventLog<'a> {
    /// A log without events.
    pub(super) fn begin_log(listener: Listener<'a>) -> Self {
        Self {
            listener,
            recording: Recording::begin(),
        }
    }

    /// Keeps an event and hands it on.
    pub(super) fn record_event(&self, event: Event) {
        self.recording.record_event(&event);
        (self.listener)(event);
    }

    /// Puts the log into a node.
    pub(super) fn copy_to_node(&self, engine: &dyn Engine, node: &str) -> Result<()> {
        let files = self
            .evidence_files()
            .map(|(name, text)| File::new(format!("{DIRECTORY}/{name}"), text));
        copy_in(engine, node, &files)
    }

    /// Writes the log into a directory of the host.
    pub(super) fn write_to(&self, directory: &Path) -> Result<()> {
        for (name, text) in self.evidence_files() {
            let path = directory.join(name);
            fs::write(&path, text).map_err(Error::io("failed to write", &path))?;
        }
        Ok(())
    }

    fn evidence_files(&self) -> [(&'static str, String); 3] {
        let timeline = Timeline::of_recording(&self.recording);
        [
            (EVENTS, self.json_lines()),
            (TIMINGS, CHART.draw_timeline(&timeline)),
            (TRACE, timeline.trace_text()),
        ]
    }

    fn json_lines(&self) -> String {
        let events = self.recording.events();
        let lines = events.iter().map(serde_json::to_string);
        let lines: String = lines.filter_map(|line| Some(line.ok()? + "\n")).collect();
        redact_text(&lines).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::event::{Detail, Outcome, Phase, Verbosity};

    #[test]
    fn events_are_kept_and_handed_on() {
        let heard = Mutex::new(0);
        let listener = |_: Event| *heard.lock().unwrap() += 1;
        let log = EventLog::begin_log(&listener);
        let phase = Phase::PrepareNodes { count: 1 };
        let detail = |level| Event::Detail(Detail::new(level, "x"));
        for event in [
            Event::PhaseStarted(phase.clone()),
            detail(Verbosity::Steps),
            detail(Verbosity::Output),
            Event::Note {
                text: String::new(),
            },
            Event::PhaseEnded {
                phase,
                outcome: Outcome::Done,
            },
        ] {
            log.record_event(event);
        }
        assert_eq!(*heard.lock().unwrap(), 5);
        let directory = tempfile::tempdir().unwrap();
        log.write_to(directory.path()).unwrap();
        let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();
        let events = read(EVENTS);
        let kinds: Vec<_> = events
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].clone())
            .collect();
        assert_eq!(kinds, ["phaseStarted", "message", "phaseEnded"]);
        assert!(read(TIMINGS).contains("kind"));
        let trace: serde_json::Value = serde_json::from_str(&read(TRACE)).unwrap();
        assert!(trace["traceEvents"].is_array());
        let read_back = Timeline::from_lines(&events).unwrap();
        assert_eq!(read_back.spans[0].title, "prepare nodes");
    }
}
