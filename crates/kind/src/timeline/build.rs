//! From events to a timeline.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::span::{COMMAND, Span, Timeline};
use crate::event::{
    EventRecord, Outcome, Phase, RecordedEvent, Recording, StepRecord, whole_millis,
};

impl Timeline {
    /// The timeline of what was recorded until now.
    pub fn of_recording(recording: &Recording) -> Self {
        let events = recording.events();
        let end = events.last().map_or_else(SystemTime::now, |last| last.time);
        Self::build(recording.began(), end, &events)
    }

    /// The timeline of events that were recorded: it begins with the first one and ends with the last.
    pub fn from_events(events: &[RecordedEvent]) -> Self {
        let begin = events
            .first()
            .map_or(SystemTime::UNIX_EPOCH, |first| first.time);
        let end = events.last().map_or(begin, |last| last.time);
        Self::build(begin, end, events)
    }

    /// The timeline of a file such as `create-events.jsonl`.
    ///
    /// # Errors
    /// A line is no event.
    pub fn from_lines(lines: &str) -> serde_json::Result<Self> {
        let events = lines.lines().map(serde_json::from_str);
        Ok(Self::from_events(&events.collect::<Result<Vec<_>, _>>()?))
    }

    fn build(begin: SystemTime, end: SystemTime, events: &[RecordedEvent]) -> Self {
        // A clock that was set back must not turn spans around.
        let offset =
            |time: SystemTime| whole_millis(time.duration_since(begin).unwrap_or_default());
        let mut builder = Builder::new(offset(end));
        for event in events {
            builder.now = offset(event.time).clamp(builder.now, builder.total.max(builder.now));
            builder.take_event(&event.event);
        }
        Self {
            begin,
            total_ms: builder.total,
            spans: builder.end_unfinished(),
        }
    }
}

/// What is known after some events.
struct Builder {
    now: u64,
    total: u64,
    open: Vec<Span>,
    ended: Vec<Span>,
    /// The node of which something was told last: for it a phase of a bootstrap has waited.
    latest: Option<String>,
    /// When the last phase ended, and how.
    phases_ended: Option<(u64, Outcome)>,
}

impl Builder {
    fn new(total: u64) -> Self {
        Self {
            now: 0,
            total,
            open: Vec::new(),
            ended: Vec::new(),
            latest: None,
            phases_ended: None,
        }
    }

    fn take_event(&mut self, event: &EventRecord) {
        match event {
            EventRecord::Creating { .. } => self.add_own("check the configuration and the host", 0),
            EventRecord::PhaseStarted { phase } => {
                let span = self.begin_span(COMMAND, phase.title());
                self.open.push(span);
            }
            EventRecord::PhaseEnded { phase, outcome } => self.end_phase(phase, *outcome),
            EventRecord::ContextSet { .. } => {
                self.add_after_phases(Outcome::Done, "write the kubeconfig")
            }
            EventRecord::NodesDeleted { .. } => {
                self.add_after_phases(Outcome::Failed, "keep the logs and clean up");
            }
            EventRecord::StepStarted {
                node,
                id,
                title,
                waits_for,
            } => {
                let mut span = self.begin_span(node, title);
                span.id = Some(id.clone());
                span.waits_for.clone_from(waits_for);
                self.open.push(span);
                self.latest = Some(node.clone());
            }
            EventRecord::Message {
                step: Some(step), ..
            } => self.end_step(step),
            _ => {}
        }
    }

    /// Whatever still runs has not ended well.
    fn end_unfinished(mut self) -> Vec<Span> {
        for mut span in self.open {
            span.end_ms = self.total;
            self.ended.push(span);
        }
        let mut begins = BTreeMap::new();
        for span in &self.ended {
            let begin = begins.entry(span.node.clone()).or_insert(span.begin_ms);
            *begin = span.begin_ms.min(*begin);
        }
        self.ended.sort_by_cached_key(|span| {
            let node = (
                span.node != COMMAND,
                begins.get(&span.node).copied(),
                span.node.clone(),
            );
            (node, span.begin_ms, span.end_ms)
        });
        self.ended
    }

    fn begin_span(&self, node: &str, title: &str) -> Span {
        Span {
            node: node.to_owned(),
            id: None,
            title: title.to_owned(),
            begin_ms: self.now,
            end_ms: self.now,
            waits_for: None,
            finished: false,
        }
    }

    /// Something of the command's own that began then and ends now.
    fn add_own(&mut self, title: &str, begin: u64) {
        let mut span = self.begin_span(COMMAND, title);
        span.begin_ms = begin;
        span.finished = true;
        self.ended.push(span);
    }

    fn add_after_phases(&mut self, outcome: Outcome, title: &str) {
        if let Some((begin, _)) = self.phases_ended.filter(|(_, ended)| *ended == outcome) {
            self.add_own(title, begin);
        }
    }

    fn end_phase(&mut self, phase: &Phase, outcome: Outcome) {
        self.phases_ended = Some((self.now, outcome));
        let open = self.open.iter();
        let is_phase = |span: &Span| span.node == COMMAND && span.title == phase.title();
        let Some(place) = open.rev().position(is_phase) else {
            return;
        };
        let place = self.open.len() - 1 - place;
        let mut span = self.open.remove(place);
        span.end_ms = self.now;
        span.finished = outcome == Outcome::Done;
        if waits_for_nodes(phase) {
            span.waits_for.clone_from(&self.latest);
        }
        self.ended.push(span);
    }

    /// Nodes have the host's clock: a step began as long ago as it took.
    fn end_step(&mut self, step: &StepRecord) {
        let is_step = |span: &Span| {
            span.node == step.node && span.id.as_ref() == Some(&step.id) && span.title == step.title
        };
        let begun = self.open.iter().position(is_step);
        let mut span = match begun {
            Some(place) => self.open.remove(place),
            None => self.begin_span(&step.node, &step.title),
        };
        span.id = Some(step.id.clone());
        span.begin_ms = self.now.saturating_sub(step.ms);
        span.end_ms = self.now;
        span.finished = true;
        self.ended.push(span);
        self.latest = Some(step.node.clone());
    }
}

/// Whether all that the command does in a phase is to wait for what nodes do.
fn waits_for_nodes(phase: &Phase) -> bool {
    matches!(
        phase,
        Phase::StartControlPlane
            | Phase::InstallCni
            | Phase::InstallStorage
            | Phase::JoinControlPlanes
            | Phase::JoinWorkers
            | Phase::WaitReady { .. }
    )
}
