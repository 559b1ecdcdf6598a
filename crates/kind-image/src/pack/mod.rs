//! Writing directories as tar streams, the same bytes for the same tree.

mod header;
mod tree;

pub use tree::{contents, path};
