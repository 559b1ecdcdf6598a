//! Bringing an image, for as long as the caller wants it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use kind_engine::Engine;

use crate::event::{Event, Listener};
use crate::{CancelToken, Error, Result};

/// How often the caller's wish to stop is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Lets the engine bring an image, and tells how far it has come.
///
/// An engine cannot be told to stop. When the caller asks to, its pull is left to itself: what it has not
/// finished by the end of this process never becomes an image.
///
/// # Errors
/// [`Error::Cancelled`]; the engine's own failure comes as the inner result.
pub(super) fn run(
    engine: Arc<dyn Engine>,
    image: &str,
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<std::result::Result<(), kind_engine::Error>> {
    let (reports, received) = mpsc::channel();
    let image = image.to_owned();
    let pulling = std::thread::spawn(move || {
        engine.pull(&image, &|progress| {
            // Nobody listens any more once the caller has stopped.
            let _ = reports.send(progress);
        })
    });
    loop {
        match received.recv_timeout(TICK) {
            Ok(progress) => listener(Event::Progress(progress)),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                return Err(Error::Cancelled);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    let pulled = pulling.join();
    Ok(pulled.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}
