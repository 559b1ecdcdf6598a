//! Networks of nodes on a host, whose neighbours want in: each of them a network namespace.
//!
//! Needs root, nft and iptables.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admission;
mod forwarding;
mod place;
mod wall;
