//! Work that goes on for as long as the caller wants it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::event::Listener;
use crate::{CancelToken, Error, Result};

/// How often the caller's wish to stop is looked at.
const CANCEL_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Enough to finish the writing of a small file.
pub(crate) const SHORT_GRACE: Duration = Duration::from_millis(500);

/// Does something in a thread of its own, and hands on what it tells.
///
/// When the caller asks to stop, it gets `grace` to end by itself, for which it looks at the token too; then it is
/// left to itself. The programs of engines that it waits for end with this process.
///
/// # Errors
/// [`Error::Cancelled`]; how the work itself ended comes as the inner value.
pub(crate) fn run_abandonable<T: Send + 'static>(
    work: impl FnOnce(Listener<'_>) -> T + Send + 'static,
    grace: Duration,
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<T> {
    cancel.check()?;
    let (tell, told) = mpsc::channel();
    let working = std::thread::spawn(move || {
        work(&|event| {
            // Nobody listens any more once the caller has stopped.
            let _ = tell.send(event);
        })
    });
    let mut deadline = None;
    loop {
        match told.recv_timeout(CANCEL_POLL_INTERVAL) {
            Ok(event) => listener(event),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if cancel.is_cancelled() && now >= *deadline.get_or_insert(now + grace) {
            return Err(Error::Cancelled);
        }
    }
    let ended = working.join();
    Ok(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// Does something in a thread of its own, and gives nothing if it has not ended by then. It is left to itself.
pub(crate) fn run_limited<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    limit: Duration,
) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let span = tracing::Span::current();
    let working = std::thread::spawn(move || {
        let _ = tell.send(span.in_scope(work));
    });
    match told.recv_timeout(limit) {
        Ok(result) => Some(result),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            let panic = working.join().expect_err("it has sent nothing");
            std::panic::resume_unwind(panic)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    /// Says that it goes on, until `until` says that it ends.
    fn busy(until: impl Fn() -> bool) -> impl FnOnce(Listener<'_>) -> i32 {
        move |listener| {
            while !until() {
                listener(Event::NotReady);
                std::thread::sleep(Duration::from_millis(1));
            }
            5
        }
    }

    #[test]
    fn work_that_goes_on_and_on_can_be_left() {
        let cancel = CancelToken::new();
        let token = cancel.clone();
        let ended = run_abandonable(busy(|| false), Duration::ZERO, &cancel, &|_| token.cancel());
        assert!(matches!(ended, Err(Error::Cancelled)));
    }

    #[test]
    fn work_that_looks_at_the_token_ends_by_itself() {
        let cancel = CancelToken::new();
        let (token, seen) = (cancel.clone(), cancel.clone());
        let work = busy(move || seen.is_cancelled());
        let grace = Duration::from_secs(30);
        let ended = run_abandonable(work, grace, &cancel, &|_| token.cancel());
        assert_eq!(ended.unwrap(), 5);
    }

    #[test]
    fn nothing_is_begun_that_nobody_wants() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let work = |_: Listener<'_>| panic!("begun");
        let ended = run_abandonable(work, Duration::ZERO, &cancel, &|_| {});
        assert!(ended.unwrap_err().is_cancelled());
    }
}
