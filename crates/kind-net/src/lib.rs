//! Networks of nodes: links, addresses and routes over netlink, nftables rulesets, address pools.
#![forbid(unsafe_code)]

mod error;
pub mod netlink;
pub mod nft;
pub mod pool;

pub use error::Error;
