//! Steps in nodes, told to a listener: those that are done from here, and those that a node's agent tells of.

use std::time::Instant;

use kind_node::request::{Event as NodeEvent, StepId};

use crate::Result;
use crate::bootstrap::step::{awaited_component, step_title};
use crate::event::{Event, Listener, StepEnded, StepStarted, whole_millis};

/// Does work for a node as a step.
pub(crate) fn run_step<R>(
    listener: Listener<'_>,
    node: &str,
    id: StepId,
    work: impl FnOnce() -> Result<R>,
) -> Result<R> {
    let context = tracing::debug_span!("step", node, step = id.as_str());
    let _entered = context.enter();
    let title = step_title(id);
    listener(step_started(node, id, title, None));
    let begin = Instant::now();
    let done = work()?;
    listener(Event::StepEnded(StepEnded {
        node: node.to_owned(),
        id,
        title: title.to_owned(),
        ms: whole_millis(begin.elapsed()),
    }));
    Ok(done)
}

/// A step has begun. What it waits for is told by what it is for, unless the caller knows better.
pub(crate) fn step_started(node: &str, id: StepId, title: &str, awaited: Option<&str>) -> Event {
    let awaited = awaited.or_else(|| awaited_component(id));
    Event::StepStarted(StepStarted {
        node: node.to_owned(),
        id,
        title: title.to_owned(),
        waits_for: awaited.map(str::to_owned),
    })
}

/// What people read of a step of an agent; one that is named after a path says little.
pub(crate) fn readable_title(id: StepId, name: String) -> String {
    match id {
        StepId::ContainerRuntime => step_title(id).to_owned(),
        _ => name,
    }
}

/// What an agent tells of the begin or the end of a step, if that is what it tells.
pub(crate) fn step_event(node: &str, event: &NodeEvent) -> Option<Event> {
    match event {
        NodeEvent::Started { id, name } => {
            let title = readable_title(*id, name.clone());
            Some(step_started(node, *id, &title, None))
        }
        NodeEvent::Finished { id, name, ms, .. } => Some(Event::StepEnded(StepEnded {
            node: node.to_owned(),
            id: *id,
            title: readable_title(*id, name.clone()),
            ms: *ms,
        })),
        _ => None,
    }
}
