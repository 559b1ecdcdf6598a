//! What is remembered, behind a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what is remembered. A panic elsewhere leaves nothing half done in it.
pub(super) fn lock_mutex<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
