//! The end of a program that runs until it is told to stop. In: SIGTERM and SIGINT. Out: a future that is done.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// A future that ends with SIGTERM or SIGINT. As the first process of a pod, a program would not
/// hear them without it.
pub(crate) fn end_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
