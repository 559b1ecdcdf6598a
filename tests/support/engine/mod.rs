//! The engines that the tests run on, started for them alone.

mod client;
mod docker;
mod podman;
mod running;

pub use running::Engine;
