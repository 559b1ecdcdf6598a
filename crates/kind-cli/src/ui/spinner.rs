//! The moving sign of a running phase on a terminal.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::stderr::write_error;
use crate::args::duration_text;

const FRAMES: [&str; 15] = [
    "⠈⠁", "⠈⠑", "⠈⠱", "⠈⡱", "⢀⡱", "⢄⡱", "⢄⡱", "⢆⡱", "⢎⡱", "⢎⡰", "⢎⡠", "⢎⡀", "⢎⠁", "⠎⠁", "⠊⠁",
];
const FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// Before this the elapsed time says nothing.
const SHOW_TIME_AFTER: Duration = Duration::from_secs(2);

/// A spinner that draws until it is dropped.
pub(super) struct Spinner {
    of_transfer: bool,
    stop: Option<Sender<()>>,
    note: Arc<Mutex<String>>,
    drawing: Option<JoinHandle<()>>,
}

impl Spinner {
    /// Begins to draw beside `text`.
    pub(super) fn start(text: String) -> Self {
        let (stop, stopped) = mpsc::channel();
        let note = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&note);
        let drawing = std::thread::spawn(move || {
            let begin = Instant::now();
            for frame in FRAMES.iter().cycle() {
                let note = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                write_error(&draw_frame(frame, &text, begin.elapsed(), &note));
                if stopped.recv_timeout(FRAME_INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        });
        Self {
            of_transfer: false,
            stop: Some(stop),
            note,
            drawing: Some(drawing),
        }
    }

    /// Begins to draw for a transfer that belongs to no phase.
    pub(super) fn of_transfer(text: String) -> Self {
        let mut spinner = Self::start(text);
        spinner.of_transfer = true;
        spinner
    }

    /// Whether it stands for a transfer and no phase.
    pub(super) fn is_of_transfer(&self) -> bool {
        self.of_transfer
    }

    /// Shows a few words beside the text from now on.
    pub(super) fn set_note(&self, text: String) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(drawing) = self.drawing.take() {
            let _ = drawing.join();
        }
    }
}

/// One frame. Line wrapping is off while it is drawn, so that a narrow terminal shows one line.
fn draw_frame(frame: &str, text: &str, elapsed: Duration, note: &str) -> String {
    let time = if elapsed >= SHOW_TIME_AFTER {
        format!("({}) ", duration_text(elapsed))
    } else {
        String::new()
    };
    let wrap = if cfg!(windows) {
        ("", "")
    } else {
        ("\x1b[?7l", "\x1b[?7h")
    };
    let clear = if note.is_empty() { "" } else { "\x1b[K" };
    format!("{}\r{frame} {text} {time}{note}{clear}{}", wrap.0, wrap.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shown_when_it_matters() {
        assert!(
            draw_frame("⠈⠁", "Working", Duration::from_secs(1), "").contains("Working \x1b[?7h")
        );
        assert!(
            draw_frame("⠈⠁", "Working", Duration::from_secs(75), "").contains("Working (1m15s) ")
        );
    }
}
