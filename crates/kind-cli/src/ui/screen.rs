//! What is said to the user, and how.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use kind::{
    Detail, Event, EventRecord, Outcome, Phase, Progress, StepEnded, StepStarted, Timeline,
    Verbosity, redact_document,
};

use super::diagnostic::Diagnostic;
use super::phase::{self, Style};
use super::spinner::Spinner;
use super::stderr::write_error;
use super::terminal::{Format, Settings};
use super::transfer::Transfers;
use super::{failure, json};
use crate::args::duration_text;
use crate::document::{self, Document, ErrorDocument};
use crate::exit::Failure;

/// The way to the user.
pub(crate) struct Ui {
    pub(super) settings: Settings,
    spinner: Mutex<Option<Spinner>>,
    transfers: Mutex<Transfers>,
    pace: json::Pace,
}

impl Ui {
    /// A way to the user with these settings.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            spinner: Mutex::default(),
            transfers: Mutex::default(),
            pace: json::Pace::default(),
        }
    }

    /// Gives a command's result: as a document to programs, as `text` to people.
    pub(crate) fn result<T: Document>(&self, document: &T, text: impl FnOnce() -> String) {
        match self.settings.format {
            Format::Json => self.data(&document::document_text(document)),
            Format::Text => self.data(&text()),
        }
    }

    /// Writes to stdout. A reader that went away is not an error.
    pub(crate) fn data(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        let _ = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
    }

    /// Whether normal messages are shown.
    pub(crate) fn is_talking(&self) -> bool {
        self.shows(Verbosity::Normal)
    }

    /// Says something about normal progress.
    pub(crate) fn info(&self, text: &str) {
        self.say(text);
    }

    /// Says something to a person, and nothing to a program.
    pub(crate) fn chat(&self, text: &str) {
        if self.settings.format == Format::Text {
            self.info(text);
        }
    }

    /// Shows a person what ran when and where.
    pub(crate) fn timeline(&self, timeline: &Timeline) {
        self.chat(&self.settings.chart.draw_timeline(timeline));
    }

    /// Asks the user, who must be at a terminal, for a yes.
    pub(crate) fn confirm(&self, question: &str) -> Option<bool> {
        let is_heard = io::stdin().is_terminal() && io::stderr().is_terminal();
        if !is_heard || self.settings.format == Format::Json || self.settings.quiet {
            return None;
        }
        write_error(&format!("{question} [y/N] "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Says something that the user should know.
    pub(crate) fn warn(&self, text: &str) {
        if self.settings.quiet {
            return;
        }
        match self.settings.format {
            Format::Text => self.write_line(text),
            Format::Json => self.write_record(EventRecord::Warning {
                text: text.to_owned(),
            }),
        }
    }

    /// Says why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.lock_spinner().take().is_some() {
            write_error(CLEAR_LINE);
        }
        if self.settings.quiet {
            return;
        }
        match self.settings.format {
            Format::Text => self.write_line(&failure::render_failure(failure, &self.settings)),
            Format::Json => write_error(&document::document_line(&ErrorDocument::from(failure))),
        }
    }

    /// Shows an event of the library.
    pub(crate) fn event(&self, event: Event) {
        match (self.settings.format, event) {
            (Format::Json, event) => self.record_event(&event),
            (Format::Text, event) => self.show_event(event),
        }
    }

    fn show_event(&self, event: Event) {
        match event {
            Event::Creating { cluster } => {
                self.info(&format!("Creating cluster \"{cluster}\" ..."));
            }
            Event::PhaseStarted(phase) => self.phase_started(&phase),
            Event::PhaseEnded { phase, outcome } => {
                self.phase_ended(&phase, outcome == Outcome::Done);
            }
            Event::Ready { after } => {
                self.info(&format!(" • Ready after {} 💚", duration_text(after)));
            }
            Event::NotReady => self.info(" • WARNING: Timed out waiting for Ready ⚠️"),
            Event::ContextSet { context } => {
                self.info(&format!("Set kubectl context to \"{context}\""));
            }
            Event::NodesDeleted { nodes } => {
                self.info(&format!("Deleted nodes: {}", quoted_list(&nodes)));
            }
            Event::Warning(warning) => self.warn(&warning.to_string()),
            Event::Note { text } => {
                if let Some(spinner) = self.lock_spinner().as_ref() {
                    spinner.set_note(text);
                }
            }
            Event::Progress(progress) => self.show_progress(progress),
            Event::StepStarted(started) => self.write_diagnostic(started.into()),
            Event::StepEnded(ended) => self.write_diagnostic(ended.into()),
            Event::Detail(Detail {
                level: Verbosity::Normal,
                text,
                ..
            }) => self.info(&text),
            Event::Detail(detail) => self.write_diagnostic(detail.into()),
            _ => {}
        }
    }

    /// Tells a program what happened, as far as the verbosity asks for it.
    fn record_event(&self, event: &Event) {
        let level = match event {
            Event::Detail(detail) => detail.level,
            Event::StepStarted(_) => StepStarted::LEVEL,
            Event::StepEnded(_) => StepEnded::LEVEL,
            _ => Verbosity::Normal,
        };
        let is_warning = matches!(event, Event::Warning(_)) && !self.settings.quiet;
        if self.shows(level) || is_warning {
            self.write_record(event.into());
        }
    }

    fn write_record(&self, record: EventRecord) {
        if self.pace.lets_through(&record, Instant::now()) {
            write_error(&json::event_line(json::redact_record(record)));
        }
    }

    fn say(&self, text: &str) {
        if !self.shows(Verbosity::Normal) {
            return;
        }
        match self.settings.format {
            Format::Text => self.write_line(text),
            Format::Json => self.write_record(EventRecord::message(Verbosity::Normal, text)),
        }
    }

    /// Writes a diagnostic line if the verbosity asks for that much.
    pub(super) fn write_diagnostic(&self, diagnostic: Diagnostic) {
        if !self.shows(diagnostic.level) {
            return;
        }
        let now = SystemTime::now();
        match (self.settings.format, self.settings.log_format) {
            (Format::Json, _) => self.write_record(diagnostic.into_record()),
            (Format::Text, Format::Json) => self.write_line(&diagnostic.json_line(now)),
            (Format::Text, Format::Text) => {
                self.write_line(&diagnostic.text_line(self.settings.verbosity, now));
            }
        }
    }

    /// Whether messages of that level are shown.
    pub(crate) fn shows(&self, level: Verbosity) -> bool {
        !self.settings.quiet && self.settings.verbosity >= level.level()
    }

    fn phase_started(&self, phase: &Phase) {
        if !self.shows(Verbosity::Normal) {
            return;
        }
        let text = phase::phase_text(phase);
        if self.settings.smart {
            drop(self.lock_spinner().take());
            *self.lock_spinner() = Some(Spinner::start(text));
        } else {
            self.write_line(&phase::started_line(&text));
        }
    }

    fn phase_ended(&self, phase: &Phase, well: bool) {
        if !self.shows(Verbosity::Normal) {
            return;
        }
        let style = if self.settings.smart {
            Style::Colour
        } else {
            Style::Plain
        };
        // Dropping the spinner ends its drawing before the line's final form is written.
        drop(self.lock_spinner().take());
        let line = phase::ended_line(&phase::phase_text(phase), well, style);
        if self.settings.smart {
            write_error(&format!("{CLEAR_LINE}{line}\n"));
        } else {
            self.write_line(&line);
        }
    }

    /// Shows how far transfers have come: beside the running phase, or alone while none runs.
    fn show_progress(&self, progress: Progress) {
        if !self.settings.smart || !self.shows(Verbosity::Normal) {
            return;
        }
        let now = Instant::now();
        let mut transfers = self
            .transfers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        transfers.record_progress(progress, now);
        let mut spinner = self.lock_spinner();
        let finished = transfers.is_finished();
        if finished && spinner.as_ref().is_some_and(Spinner::is_of_transfer) {
            drop(spinner.take());
            write_error(CLEAR_LINE);
        } else if finished {
            spinner
                .iter()
                .for_each(|phase| phase.set_note(String::new()));
        } else {
            let shown = spinner.get_or_insert_with(|| Spinner::of_transfer(transfers.title()));
            shown.set_note(transfers.progress_text(now));
        }
    }

    /// Writes one line to stderr; a spinner gives way to it.
    fn write_line(&self, text: &str) {
        let text = redact_document(text);
        let spinning = self.lock_spinner().is_some();
        let start = if spinning { CLEAR_LINE } else { "" };
        let end = if text.ends_with('\n') { "" } else { "\n" };
        write_error(&format!("{start}{text}{end}"));
    }

    fn lock_spinner(&self) -> MutexGuard<'_, Option<Spinner>> {
        self.spinner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes to the beginning of the line and removes what stands there.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Names as Go prints a list of quoted strings: `["a" "b"]`.
pub(crate) fn quoted_list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("[{}]", quoted.join(" "))
}
