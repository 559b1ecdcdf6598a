//! Events to the caller, one JSON document a line.

use std::io::Write;
use std::sync::{Arc, Mutex};

use kind_node::request::{Event, StepId};

use super::programs::Programs;

/// Where events go.
///
/// Events of concurrent sequences come whole and one after the other.
pub(super) struct Report {
    out: Mutex<Box<dyn Write + Send>>,
    programs: Arc<Programs>,
}

impl Report {
    /// A report to `out`; when that is lost, running programs are ended.
    pub(super) fn new(out: impl Write + Send + 'static, programs: Arc<Programs>) -> Self {
        Self {
            out: Mutex::new(Box::new(out)),
            programs,
        }
    }

    /// Tells one event.
    pub(super) fn tell(&self, event: &Event) {
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
            self.programs.end();
        }
    }

    /// Tells a failure, unless one was told already or nobody listens: the programs that are ended
    /// for the first one fail as well, and say nothing of interest.
    pub(super) fn fail(&self, id: StepId, name: &str, reason: String, output: String) {
        if self.programs.end() {
            self.tell(&Event::Failed {
                id,
                name: name.to_owned(),
                reason,
                output,
            });
        }
    }
}
