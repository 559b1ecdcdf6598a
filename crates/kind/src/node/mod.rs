//! Talking to one node through the engine: its files, and the one request it is sent.

mod channel;
mod program;
mod tree;

pub(crate) use channel::{Abandoned, NODE_AGENT, Reply, Requests};
pub(crate) use program::{LimitedOutput, read_output};
#[cfg(feature = "fuzzing")]
pub(crate) use tree::read_stream;
pub(crate) use tree::{File, copy_in, read_file, read_tree};
