//! Networks of nodes: links, addresses and routes over netlink, nftables rulesets, rules in the host's firewall, address
//! pools.
#![forbid(unsafe_code)]

pub mod admission;
mod error;
pub mod netlink;
pub mod nft;
pub mod pool;

pub use error::Error;
