//! Moving an image, for as long as the caller wants it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use kind_image::ProgressSink;

use crate::event::{Event, Listener};
use crate::{CancelToken, Result};

/// How often the caller's wish to stop is looked at.
const CANCEL_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Lets something move in a thread of its own, and tells how far it has come.
///
/// A transfer cannot be told to stop. When the caller asks to, it is left to itself: what it has not
/// finished by the end of this process never becomes an image.
///
/// # Errors
/// [`crate::Error::Cancelled`]; how the transfer itself ended comes as the inner value.
pub(crate) fn run_transfer<T: Send + 'static>(
    transfer: impl FnOnce(ProgressSink<'_>) -> T + Send + 'static,
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<T> {
    let (reports, received) = mpsc::channel();
    let moving = std::thread::spawn(move || {
        transfer(&|progress| {
            // Nobody listens any more once the caller has stopped.
            let _ = reports.send(progress);
        })
    });
    loop {
        let report = received.recv_timeout(CANCEL_POLL_INTERVAL);
        cancel.check()?;
        match report {
            Ok(progress) => listener(Event::Progress(progress)),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    let ended = moving.join();
    Ok(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

#[cfg(test)]
mod tests {
    use kind_image::Progress;

    use super::*;
    use crate::Error;

    #[test]
    fn a_transfer_that_goes_on_and_on_can_be_left() {
        let cancel = CancelToken::new();
        let token = cancel.clone();
        let endless = |progress: ProgressSink<'_>| {
            loop {
                progress(Progress::new("x", 1, None));
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        let result: Result<()> = run_transfer(endless, &cancel, &move |_| token.cancel());
        assert!(matches!(result, Err(Error::Cancelled)));
    }

    #[test]
    fn what_it_ends_with_is_handed_on() {
        let ended = run_transfer(|_| 5, &CancelToken::new(), &|_| {}).unwrap();
        assert_eq!(ended, 5);
    }
}
