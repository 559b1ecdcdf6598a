//! Links, addresses and routes of the network namespace the caller is in.
//!
//! Synchronous on purpose: it runs in processes that have just changed their namespace and must not
//! have threads.

mod connection;
mod service;

#[cfg(feature = "fuzzing")]
pub(crate) use connection::read_datagram;
pub use connection::{Netlink, Route};
pub use service::LinkAddress;
