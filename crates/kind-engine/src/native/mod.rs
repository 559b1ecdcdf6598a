//! The native engine: nodes on this Linux kernel, with no container engine.
//!
//! A node is one process tree in namespaces of its own on an overlay of unpacked image layers. There is
//! no daemon: every node has a monitor, the calling program executed again, that starts the node's
//! first process, writes its console to a file, forwards published ports, and ends with it. All mounts
//! are made inside the node's mount namespace, so that none can be left behind.
//!
//! State on disk: a record per node and network, the node's writable directories, and the
//! image store. A node runs if its monitor holds the node's lock; after a crash or a restart of the host
//! the records are all that is left, and `remove` needs no more.

mod console;
mod engine;
mod exec;
mod files;
mod forward;
mod helper;
mod hosts;
mod init;
mod monitor;
mod network;
mod ports;
mod preflight;
mod prepared;
mod prune;
mod record;
mod rootfs;
mod state;
mod teardown;
mod varfs;

pub use engine::{Native, NativeOptions};
pub use helper::helper_main;
