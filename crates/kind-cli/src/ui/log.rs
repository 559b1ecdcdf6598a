//! Diagnostics of the library as lines on stderr.

use std::fmt::{self, Write};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::screen::Ui;

impl Ui {
    /// Turns the library's diagnostics into lines on stderr, as far as the verbosity asks for them.
    pub(crate) fn show_diagnostics(self: &Arc<Self>) {
        if self.shows(1) {
            install_log(Arc::clone(self), self.settings.verbosity);
        }
    }
}

/// Shows diagnostics from now on, as many as the verbosity asks for.
fn install_log(ui: Arc<Ui>, verbosity: i32) {
    let level = level(verbosity);
    // Only the first subscriber of a process counts, and there is no other.
    let _ = tracing::subscriber::set_global_default(Lines { ui, level });
}

/// The levels up to 3 are the user's: what they hold is kind's. Each call of an engine is one from 4 on.
fn level(verbosity: i32) -> Level {
    match verbosity {
        ..=3 => Level::INFO,
        4..=5 => Level::DEBUG,
        _ => Level::TRACE,
    }
}

/// A subscriber that writes one line for each event and knows no spans.
struct Lines {
    ui: Arc<Ui>,
    level: Level,
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= self.level
            && metadata.target().starts_with("kind")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let target = event.metadata().target();
        // What is shown at all was decided by the level of this subscriber.
        self.ui.say(
            1,
            &format!("DEBUG: {target}] {}{}", text.message, text.fields),
        );
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// An event's words: its message and then its fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}
