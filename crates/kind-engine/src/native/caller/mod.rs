//! The process that asks for something: the implementation of [`Engine`](crate::Engine). It has threads and the
//! caller's namespaces, so it only reads and writes files and leaves everything else to helpers.

mod console;
mod engine;
mod exec;
mod files;
mod image_snapshots;
mod orphans;
mod preflight;
mod prune;
mod removal;
mod shared_image_store;

pub use engine::{Native, NativeOptions};
pub use preflight::find_host_problems;
