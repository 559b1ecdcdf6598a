//! Writing directories as tar streams, the same bytes for the same tree.

mod header;
#[cfg(test)]
mod tests;
mod tree;

pub use tree::{contents, path};
