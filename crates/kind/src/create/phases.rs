//! Phases of a creation, told in order whatever order things end in.

use std::collections::BTreeSet;
use std::time::Instant;

use kind_node::request::StepId;

use crate::event::{Detail, Event, Listener, Outcome, Phase};
use crate::{Result, steps};

/// Tells a listener which phase runs.
pub(super) struct Phases<'a> {
    listener: Listener<'a>,
    current: Option<Phase>,
}

impl<'a> Phases<'a> {
    pub(super) fn new(listener: Listener<'a>) -> Self {
        Self {
            listener,
            current: None,
        }
    }

    /// Begins a phase; the one before it went well.
    pub(super) fn begin_phase(&mut self, phase: Phase) {
        self.end_phase(Outcome::Done);
        self.current = Some(phase.clone());
        self.send_event(Event::PhaseStarted(phase));
    }

    /// Ends the running phase, if any.
    pub(super) fn end_phase(&mut self, outcome: Outcome) {
        if let Some(phase) = self.current.take() {
            self.send_event(Event::PhaseEnded { phase, outcome });
        }
    }

    /// Whoever is told.
    pub(super) fn listener(&self) -> Listener<'a> {
        self.listener
    }

    pub(super) fn send_event(&self, event: Event) {
        (self.listener)(event);
    }

    /// A detail for those who asked for that much.
    pub(super) fn send_detail(&self, detail: Detail) {
        self.send_event(Event::Detail(detail));
    }

    /// Does work for a node as a step that is told of.
    pub(super) fn run_step<R>(
        &self,
        node: &str,
        id: StepId,
        work: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        steps::run_step(self.listener, node, id, work)
    }
}

/// Which phase of a bootstrap runs, from the steps that ended. Steps run at once and end in any
/// order; the user sees kind's phases in kind's order.
pub(super) struct PhaseSequence {
    stages: std::vec::IntoIter<Stage>,
    current: Option<Stage>,
    finished: BTreeSet<NodeStep>,
    wait_began: Option<Instant>,
}

/// A step of a node, by the node's name.
type NodeStep = (String, StepId);

/// A phase and the steps that must have ended before it has.
pub(super) struct Stage {
    phase: Phase,
    steps: Vec<NodeStep>,
}

impl Stage {
    /// A phase with its steps.
    pub(super) fn new(phase: Phase, steps: impl IntoIterator<Item = NodeStep>) -> Self {
        let steps = steps.into_iter().collect();
        Self { phase, steps }
    }
}

impl PhaseSequence {
    /// Phases in their order; those without a step are left out.
    pub(super) fn new(stages: impl IntoIterator<Item = Stage>) -> Self {
        let stages = stages.into_iter().filter(|stage| !stage.steps.is_empty());
        Self {
            stages: stages.collect::<Vec<_>>().into_iter(),
            current: None,
            finished: BTreeSet::new(),
            wait_began: None,
        }
    }

    /// Begins the first phase.
    pub(super) fn begin_next(&mut self, phases: &mut Phases<'_>) {
        self.current = self.stages.next();
        if let Some(stage) = &self.current {
            phases.begin_phase(stage.phase.clone());
            if matches!(stage.phase, Phase::WaitReady { .. }) {
                self.wait_began = Some(Instant::now());
            }
        }
    }

    /// A step of a node has ended well.
    pub(super) fn finish_step(&mut self, node: &str, step: StepId, phases: &mut Phases<'_>) {
        self.finished.insert((node.to_owned(), step));
        while let Some(stage) = &self.current {
            if !stage.steps.iter().all(|step| self.finished.contains(step)) {
                return;
            }
            phases.end_phase(Outcome::Done);
            self.begin_next(phases);
        }
        if let Some(began) = self.wait_began.take() {
            phases.send_event(Event::Ready {
                after: began.elapsed(),
            });
        }
    }
}
