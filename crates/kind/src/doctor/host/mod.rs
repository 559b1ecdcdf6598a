//! The host and its engines, before anything is made.

mod cgroups;
mod clock;
mod engine_checks;
mod engines;
mod facts;
mod files;
mod inotify;
mod kernel;
mod limits;
mod native;
mod network;
mod resolver;
mod space;
mod table;
mod user_namespace;

pub(super) use engine_checks::judge_engine;
pub(super) use engines::{Answer, Engines};
pub(super) use facts::Host;
pub(crate) use facts::Planned;
pub(super) use table::{FIRST, HOST_CHECKS};
