//! Docker, podman and nerdctl, driven through their command lines: contexts, remote daemons, credential
//! helpers and machines of desktop products come with them.
//!
//! One module for all: what differs between the programs stands in [`Flavor`] and in the few places
//! where their answers have another form. Names, labels, networks and arguments are kind's, so that
//! clusters made by kind are listed, used and deleted, and the other way round.

mod addresses;
mod agent;
mod answers;
mod arguments;
mod boot;
mod client_config;
mod copy;
#[cfg(target_os = "linux")]
mod drawing;
mod engine;
mod environment;
mod exec;
mod failure_reason;
mod flavor;
mod images;
mod info;
mod listing;
mod liveness;
mod mutex;
mod network;
mod ports;
mod program;
mod quote;
#[cfg(test)]
mod recorded_tests;
mod removal;
#[cfg(target_os = "linux")]
mod rootless;
mod seed;
mod shared_image_store;
mod streams;
#[cfg(test)]
mod stub;
#[cfg(target_os = "linux")]
mod terminal;
mod version;
mod watchdog;

pub use answers::{Question, read_answer};
pub use engine::{CommandLine, Presence};
pub use failure_reason::FailureReason;
pub use flavor::Flavor;
pub use version::Version;
