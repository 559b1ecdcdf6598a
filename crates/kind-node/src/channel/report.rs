//! Events to the caller, one JSON document a line.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use kind_diagnosis::Check;
use kind_node::request::{Event, StepId};

use super::programs::Programs;
use crate::diagnosis::Watch;
use crate::mutex::lock_mutex;

/// Where events go.
///
/// Events of concurrent sequences come whole and one after the other.
pub(super) struct Report {
    out: Mutex<Box<dyn Write + Send>>,
    programs: Arc<Programs>,
    running: Mutex<Vec<Running>>,
    has_failed: AtomicBool,
    watch: Mutex<Watch>,
}

/// A step that has begun.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) id: StepId,
    pub(super) name: String,
    pub(super) since: Instant,
}

impl Report {
    /// A report to `out`; when that is lost, running programs are ended.
    pub(super) fn new(out: impl Write + Send + 'static, programs: Arc<Programs>) -> Self {
        Self {
            out: Mutex::new(Box::new(out)),
            programs,
            running: Mutex::default(),
            has_failed: AtomicBool::new(false),
            watch: Mutex::new(Watch::new()),
        }
    }

    /// Tells one event.
    pub(super) fn send_event(&self, event: &Event) {
        self.note_running(event);
        let Ok(mut line) = serde_json::to_vec(event) else {
            return;
        };
        line.push(b'\n');
        let Ok(mut out) = self.out.lock() else {
            return;
        };
        let told = out.write_all(&line).and_then(|()| out.flush());
        drop(out);
        if told.is_err() {
            self.programs.end_programs();
        }
    }

    /// Tells a failure and what is in the way, unless one was told already or nobody listens: the programs that are
    /// ended for the first one fail as well, and say nothing of interest.
    pub(super) fn fail_step(&self, id: StepId, name: &str, reason: String, output: String) {
        if self.programs.have_ended() {
            return;
        }
        // Before the end: what follows that may be over before the journals are read.
        let causes = self.lock_watch().look_closely();
        self.tell_failure(id, name, reason, output, causes);
    }

    /// Ends the request for what is in the way of a step.
    pub(super) fn fail_for(&self, step: &Running, causes: Vec<Check>) {
        let reason = causes.first().map_or_else(String::new, Check::to_string);
        self.tell_failure(step.id, &step.name, reason, String::new(), causes);
    }

    /// The step that began last: others that run were waiting already. Pods get their addresses beside everything else.
    pub(super) fn latest_running(&self) -> Option<Running> {
        let running = lock_mutex(&self.running);
        let mut latest = running.iter().rev();
        let waits = |step: &&Running| step.id != StepId::PodCidrs;
        latest.find(waits).or(running.last()).cloned()
    }

    /// Notes that a step has begun.
    fn note_begin(&self, id: StepId, name: &str) {
        lock_mutex(&self.running).push(Running {
            id,
            name: name.to_owned(),
            since: Instant::now(),
        });
    }

    /// Notes that a step has ended.
    fn note_end(&self, id: StepId, name: &str) {
        let mut running = lock_mutex(&self.running);
        let ended = |step: &Running| step.id == id && step.name == name;
        if let Some(place) = running.iter().position(ended) {
            running.remove(place);
        }
    }

    /// What is in the way.
    pub(super) fn lock_watch(&self) -> MutexGuard<'_, Watch> {
        lock_mutex(&self.watch)
    }

    /// Tells the first failure, then ends what runs: whoever waits for that may leave at once.
    fn tell_failure(
        &self,
        id: StepId,
        name: &str,
        reason: String,
        output: String,
        causes: Vec<Check>,
    ) {
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            self.send_event(&Event::Failed {
                id,
                name: name.to_owned(),
                reason,
                output,
                causes,
            });
        }
        self.programs.end_programs();
    }

    fn note_running(&self, event: &Event) {
        match event {
            Event::Started { id, name } => self.note_begin(*id, name),
            Event::Finished { id, name, .. } => self.note_end(*id, name),
            _ => {}
        }
    }
}
