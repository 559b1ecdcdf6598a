//! Moving an image, for as long as the caller wants it.

use std::time::Duration;

use kind_image::ProgressSink;

use crate::abandon::run_abandonable;
use crate::event::{Event, Listener};
use crate::{CancelToken, Result};

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
    let work = |tell: Listener<'_>| transfer(&|progress| tell(Event::Progress(progress.clone())));
    run_abandonable(work, Duration::ZERO, cancel, listener)
}
