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
//!
//! Three kinds of processes run this code, and each has a folder; what is in the files here is used by more than
//! one of them.
//!
//! | folder | process |
//! |---|---|
//! | `caller/` | the program that uses the engine |
//! | `helper/` | that program again, for one task that needs a process of its own: a command in a node, files in and out of it, its `/var`. One of them becomes the node's first process |
//! | `monitor/` | that program again, for as long as a node runs |
//!
//! `call.rs` is what one process tells the next one, `entry.rs` where that one begins.

mod call;
mod caller;
mod cgroups;
mod containerd;
mod entry;
mod helper;
mod hosts;
mod last_words;
mod monitor;
mod network;
mod ports;
mod record;
mod state;
mod teardown;

pub use caller::{Native, NativeOptions, find_host_problems};
pub use entry::helper_main;
