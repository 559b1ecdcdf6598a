//! Diagnostics of the library as lines on stderr.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kind::{About, Verbosity};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::diagnostic::Diagnostic;
use super::screen::Ui;

impl Ui {
    /// Turns the library's diagnostics into lines on stderr, as far as the verbosity asks for them.
    pub(crate) fn show_diagnostics(self: &Arc<Self>) {
        if self.shows(Verbosity::Steps) {
            let lines = Lines {
                ui: Arc::clone(self),
                spans: Mutex::default(),
                next: AtomicU64::new(1),
            };
            // Only the first subscriber of a process counts, and there is no other.
            let _ = tracing::subscriber::set_global_default(lines);
        }
    }
}

/// From which verbosity on something of the log is shown.
fn verbosity_of(level: Level) -> Verbosity {
    match level {
        Level::ERROR | Level::WARN | Level::INFO => Verbosity::Steps,
        Level::DEBUG => Verbosity::Calls,
        Level::TRACE => Verbosity::Everything,
    }
}

/// A subscriber that writes one line for each event. Of spans it knows the node and the step that they are about.
struct Lines {
    ui: Arc<Ui>,
    spans: Mutex<BTreeMap<u64, About>>,
    next: AtomicU64,
}

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Lines {
    fn lock_spans(&self) -> MutexGuard<'_, BTreeMap<u64, About>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the thread's spans are about, as far as the event does not say it itself.
    fn complete(&self, about: &mut About) {
        let entered = ENTERED.with_borrow(Clone::clone);
        let spans = self.lock_spans();
        for span in entered.iter().rev().filter_map(|id| spans.get(id)) {
            // A step is one of its node alone.
            let same_node = about.node.is_none() || about.node == span.node;
            if about.step_id.is_none() && same_node {
                about.step_id.clone_from(&span.step_id);
            }
            if about.node.is_none() {
                about.node.clone_from(&span.node);
            }
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let shown = || self.ui.shows(verbosity_of(*metadata.level()));
        metadata.target().starts_with("kind") && (metadata.is_span() || shown())
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut words = Words::default();
        attributes.record(&mut words);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock_spans().insert(id, words.about());
        span::Id::from_u64(id)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        let metadata = event.metadata();
        let message = std::mem::take(&mut words.message);
        let mut about = words.about();
        about.target = Some(metadata.target().to_owned());
        self.complete(&mut about);
        self.ui.write_diagnostic(Diagnostic {
            level: verbosity_of(*metadata.level()),
            severity: metadata.level().as_str(),
            message,
            about,
        });
    }

    fn enter(&self, span: &span::Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &span::Id) {
        let id = span.into_u64();
        ENTERED.with_borrow_mut(|entered| {
            if let Some(place) = entered.iter().rposition(|known| *known == id) {
                entered.remove(place);
            }
        });
    }

    /// Nobody shares a span.
    fn try_close(&self, id: span::Id) -> bool {
        self.lock_spans().remove(&id.into_u64()).is_some()
    }
}

/// An event's message and its other values.
#[derive(Default)]
struct Words {
    message: String,
    fields: BTreeMap<String, String>,
}

impl Words {
    /// What it is about; what else it says stays beside that.
    fn about(mut self) -> About {
        let mut about = About::default();
        about.node = self.fields.remove("node");
        about.step_id = self.fields.remove("step");
        about.fields = self.fields;
        about
    }

    fn add(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            name => {
                self.fields.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_the_log_have_their_verbosity() {
        for (level, verbosity) in [
            (Level::ERROR, Verbosity::Steps),
            (Level::WARN, Verbosity::Steps),
            (Level::INFO, Verbosity::Steps),
            (Level::DEBUG, Verbosity::Calls),
            (Level::TRACE, Verbosity::Everything),
        ] {
            assert_eq!(verbosity_of(level), verbosity);
        }
    }
}
