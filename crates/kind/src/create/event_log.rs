//! What a creation did and how long it took, kept for `export logs`.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use kind_engine::Engine;
use serde::Serialize;

use crate::event::{Event, EventRecord, Listener, Phase, timestamp};
use crate::node::{File, copy_in};
use crate::{Error, Result};

/// Where the log stands in the node that a cluster began with; `export logs` copies all of `/var/log`.
const DIRECTORY: &str = "/var/log/kind";
/// One event a line.
const EVENTS: &str = "create-events.jsonl";
/// One phase a line.
const TIMINGS: &str = "create-timings.txt";
/// Finer details are in files of their own, or too long.
const MAX_DETAIL_LEVEL: i32 = 1;

/// The events of a creation, kept while they are handed on.
pub(super) struct EventLog<'a> {
    listener: Listener<'a>,
    begin: SystemTime,
    events: Mutex<Vec<(SystemTime, Event)>>,
}

#[derive(Serialize)]
struct Line {
    time: String,
    #[serde(flatten)]
    event: EventRecord,
}

impl<'a> EventLog<'a> {
    /// A log without events.
    pub(super) fn begin_log(listener: Listener<'a>) -> Self {
        Self {
            listener,
            begin: SystemTime::now(),
            events: Mutex::default(),
        }
    }

    /// Keeps an event and hands it on.
    pub(super) fn record_event(&self, event: Event) {
        let kept = match &event {
            Event::Progress(_) | Event::Note { .. } => false,
            Event::Detail { level, .. } => *level <= MAX_DETAIL_LEVEL,
            _ => true,
        };
        if kept {
            self.events().push((SystemTime::now(), event.clone()));
        }
        (self.listener)(event);
    }

    /// Puts the log into a node.
    pub(super) fn copy_to_node(&self, engine: &dyn Engine, node: &str) -> Result<()> {
        let files = self
            .files()
            .map(|(name, text)| File::new(format!("{DIRECTORY}/{name}"), text));
        copy_in(engine, node, &files)
    }

    /// Writes the log into a directory of the host.
    pub(super) fn write_to(&self, directory: &Path) -> Result<()> {
        for (name, text) in self.files() {
            let path = directory.join(name);
            fs::write(&path, text).map_err(Error::io("failed to write", &path))?;
        }
        Ok(())
    }

    fn files(&self) -> [(&'static str, String); 2] {
        [(EVENTS, self.lines()), (TIMINGS, self.timings())]
    }

    fn lines(&self) -> String {
        let line = |(time, event): &(SystemTime, Event)| {
            let line = Line {
                time: timestamp(*time),
                event: event.into(),
            };
            serde_json::to_string(&line).map_or(String::new(), |line| line + "\n")
        };
        self.events().iter().map(line).collect()
    }

    fn timings(&self) -> String {
        let mut text = String::new();
        let mut began = self.begin;
        for (time, event) in self.events().iter() {
            match event {
                Event::PhaseStarted(_) => began = *time,
                Event::PhaseEnded { phase, .. } => {
                    text.push_str(&timing_line(began, *time, phase_name(phase)));
                }
                _ => {}
            }
        }
        text + &timing_line(self.begin, SystemTime::now(), "all")
    }

    fn events(&self) -> MutexGuard<'_, Vec<(SystemTime, Event)>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds between two moments, and what they were spent on.
fn timing_line(from: SystemTime, to: SystemTime, what: &str) -> String {
    let elapsed = to.duration_since(from).unwrap_or_default();
    format!("{:9.3} s  {what}\n", elapsed.as_secs_f64())
}

fn phase_name(phase: &Phase) -> &str {
    match phase {
        Phase::BuildStep { title } => title,
        Phase::EnsureImage { .. } => "ensure the node image",
        Phase::PrepareNodes { .. } => "prepare nodes",
        Phase::LoadBalancer => "configure the load balancer",
        Phase::WriteConfiguration => "write configuration",
        Phase::StartControlPlane => "start the control plane",
        Phase::InstallCni => "install the pod network",
        Phase::InstallStorage => "install storage",
        Phase::JoinControlPlanes => "join more control planes",
        Phase::JoinWorkers => "join workers",
        Phase::WaitReady { .. } => "wait for the control plane",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;

    #[test]
    fn events_are_kept_and_handed_on() {
        let heard = Mutex::new(0);
        let listener = |_: Event| *heard.lock().unwrap() += 1;
        let log = EventLog::begin_log(&listener);
        let phase = Phase::PrepareNodes { count: 1 };
        let detail = |level| Event::Detail {
            level,
            text: "x".to_owned(),
        };
        for event in [
            Event::PhaseStarted(phase.clone()),
            detail(1),
            detail(3),
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
        let timings = read(TIMINGS);
        let names: Vec<_> = timings.lines().map(|line| &line[13..]).collect();
        assert_eq!(names, ["prepare nodes", "all"]);
    }
}
