//! Networks of nodes: links, addresses and routes over netlink, nftables rulesets, rules in the host's firewall, address
//! pools, settings of a node's kernel; and the host's programs for them.
#![forbid(unsafe_code)]

pub mod admission;
mod code;
mod error;
pub mod forwarding;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod host_program;
pub mod netlink;
pub mod nft;
pub mod pool;
pub mod sysctl;
pub mod wall;

pub use code::Code;
pub use error::Error;
pub use host_program::{host_program, search_path};
