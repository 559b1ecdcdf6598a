//! Asking a running operation to stop.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::{Error, Result};

/// A flag that many places may set and every long operation looks at.
///
/// ```
/// let token = kind::CancelToken::new();
/// let copy = token.clone();
/// copy.cancel();
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    state: Arc<(Mutex<bool>, Condvar)>,
}

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything that holds this token to stop.
    pub fn cancel(&self) {
        let (cancelled, changed) = &*self.state;
        *cancelled.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        *self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the token is cancelled, at most `limit`; true if it is.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let (cancelled, changed) = &*self.state;
        let guard = cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = changed.wait_timeout_while(guard, limit, |cancelled| !*cancelled);
        *outcome.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends an operation here if it was asked to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
}
