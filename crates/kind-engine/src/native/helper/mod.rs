//! Processes with one thread and one task each: they enter namespaces and mount, which their callers cannot.
//! What a task gets is in [`Task`](super::call::Task).

mod balancer;
pub(super) mod exec;
pub(super) mod files;
pub(super) mod init;
pub(super) mod node_var;
mod rootfs;
pub(super) mod shared_image_store;
