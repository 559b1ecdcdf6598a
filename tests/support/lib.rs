//! Support for the end-to-end tests: engines, running `kind` and `kubectl`, and what a cluster leaves on a host.
#![forbid(unsafe_code)]

mod answer;
mod bounds;
mod enclosure;
mod engine;
mod host;
mod limits;
mod programs;
mod reference;
mod small_disk;
mod suite;
mod user;

pub use answer::{Answer, answer};
pub use bounds::Bounds;
pub use enclosure::{ADDRESS, Kept, enclosed, is_ordinary_user, scratch};
pub use engine::Engine;
pub use host::Traces;
pub use limits::{SLOWNESS, limit};
pub use programs::{Kind, eventually};
pub use reference::reference_kind;
pub use small_disk::Disk;
pub use suite::{DIRECTORY, ENGINE, Shared, run_on};
pub use user::User;
