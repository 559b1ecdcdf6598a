//! Whether this node is well. In: nothing. Out: one JSON document on stdout, with the node's disks, certificates, what
//! its components say, and what the API server beside it knows.

mod certificates;
mod program;
mod server;
mod units;

pub(crate) use program::examine_node;
