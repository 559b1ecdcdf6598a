//! What several threads remember together.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks it. A panic elsewhere leaves nothing half-written that matters.
pub(crate) fn lock_mutex<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
