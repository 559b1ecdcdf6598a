//! client-go's lock on a kubeconfig file: a file beside it that only one can create.

mod file;
mod owner;

pub(super) use file::{Error, Lock, check_lock, remove_left};
pub(crate) use file::{HeldLock, find_lock, remove_stale_lock};
