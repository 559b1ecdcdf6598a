//! Cluster DNS: the records of Kubernetes DNS-based service discovery (schema 1.1) and forwarding of
//! every other name.
//!
//! ```text
//! API server ─► watch ─► objects ─► index ─┐  (swapped as a whole)
//!                                          ▼
//! packet ─► wire ─► answer ─► zone ─► records ─► wire ─► packet
//!                     └─► forward (cache, upstream) for names that are not ours
//! ```
//!
//! Everything that decides is pure and sits in `convert`, `objects`, `index`, `zone`, `answer`,
//! `wire`, `cache` and `resolv_conf`; sockets, clocks and the API server are in `watch`, `forward`,
//! `upstream`, `server`, `probe` and `program`.

mod answer;
mod cache;
mod convert;
mod corefile;
mod error;
mod forward;
mod index;
mod model;
mod objects;
mod options;
mod probe;
mod program;
mod resolv_conf;
mod resolver;
mod server;
mod upstream;
mod watch;
mod wire;
mod zone;

#[cfg(test)]
mod loopback_tests;
#[cfg(test)]
mod manifest_tests;
#[cfg(test)]
mod specification_tests;

pub(crate) use error::Error;
pub(crate) use program::run;
