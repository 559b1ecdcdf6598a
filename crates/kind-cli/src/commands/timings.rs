//! What a command shows of the time that it took.

use std::fs::File;
use std::io::{self, Write};

use kind::{Event, Recording, Span, Timeline};

use crate::args::{Flag, Matches};
use crate::exit::Failure;
use crate::ui::Ui;

/// Asks for a chart.
pub(super) const TIMINGS: Flag = Flag::switch(
    "timings",
    "show what ran when in which node and what it waited for, as a chart",
);

/// Asks for a trace.
pub(super) const TRACE_FILE: Flag = Flag::text(
    "trace-file",
    "write what ran when to this file (- is stdout), as a trace for Perfetto, chrome://tracing or speedscope",
);

/// What the user wants to see, and what happens meanwhile.
pub(super) struct Timings {
    recording: Recording,
    chart: bool,
    trace: Option<Trace>,
}

/// Where a trace goes.
enum Trace {
    Stdout,
    /// A file that can be written to, and its name.
    File(File, String),
}

impl Timings {
    /// Opens the trace's file before anything is made.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn open(matches: &Matches) -> Result<Self, Failure> {
        let trace = matches.filled("trace-file");
        let trace = trace.map(|path| Trace::open(path, matches));
        Ok(Self {
            recording: Recording::begin(),
            chart: matches.switch("timings"),
            trace: trace.transpose()?,
        })
    }

    /// Keeps an event.
    pub(super) fn record_event(&self, event: &Event) {
        self.recording.record_event(event);
    }

    /// Shows what was asked for, and returns the spans if a chart was.
    ///
    /// # Errors
    /// The trace could not be written.
    pub(super) fn show_timings(self, ui: &Ui) -> Result<Option<Vec<Span>>, Failure> {
        let timeline = Timeline::of_recording(&self.recording);
        if self.chart {
            ui.timeline(&timeline);
        }
        if let Some(trace) = self.trace {
            trace.write_timeline(&timeline, ui)?;
        }
        Ok(self.chart.then_some(timeline.spans))
    }
}

impl Trace {
    fn open(path: &str, matches: &Matches) -> Result<Self, Failure> {
        match path {
            "-" if matches.text_flag("output") == Some("json") => Err(Failure::Message(
                "--trace-file - and --output json would both write to stdout".to_owned(),
            )),
            "-" => Ok(Self::Stdout),
            _ => File::create(path)
                .map(|file| Self::File(file, path.to_owned()))
                .map_err(|error| unwritable(path, &error)),
        }
    }

    fn write_timeline(self, timeline: &Timeline, ui: &Ui) -> Result<(), Failure> {
        let text = timeline.trace_text();
        match self {
            Self::Stdout => {
                ui.data(&text);
                Ok(())
            }
            Self::File(mut file, path) => file
                .write_all(text.as_bytes())
                .map_err(|error| unwritable(&path, &error)),
        }
    }
}

fn unwritable(path: &str, error: &io::Error) -> Failure {
    Failure::Message(format!("failed to write the trace file {path}: {error}"))
}
