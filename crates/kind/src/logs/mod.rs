//! Collecting what nodes can tell, in kind's directory layout.
//!
//! A node is not trusted: it may run what it likes, and its pods write below `/var/log`. So nothing is written but new
//! files in directories that were opened one by one, no link is followed but to a log that was exported itself, and a
//! node's part is bounded in bytes, entries and time by the host. What is exported is its user's alone.

mod bounds;
mod collect;
mod nodes;
mod place;
mod unpack;

pub(crate) use nodes::collect_node_logs;
#[cfg(feature = "fuzzing")]
pub(crate) use unpack::unpack_below;
