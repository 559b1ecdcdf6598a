//! Processes with one thread and one task each: they enter namespaces and mount, which their callers cannot.
//! What a task gets is in [`Task`](super::call::Task).

pub(super) mod exec;
pub(super) mod files;
pub(super) mod init;
pub(super) mod prepared;
mod rootfs;
pub(super) mod varfs;
