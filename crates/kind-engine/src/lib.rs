//! Where nodes run: the sealed trait [`Engine`] and its implementations.
#![forbid(unsafe_code)]

mod agent;
mod code;
pub mod command_line;
mod engine;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
#[cfg(target_os = "linux")]
pub mod native;
mod proxy_address;
mod prune;

pub use agent::Agent;
pub use code::Code;
pub use engine::*;
pub use error::Error;
pub use kind_config::{Propagation, Protocol};
pub use proxy_address::ProxyAddress;
pub use prune::{InUse, Leftover, LeftoverKind, Pruning};
