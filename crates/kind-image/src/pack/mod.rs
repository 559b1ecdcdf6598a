//! Writing directories as tar streams, the same bytes for the same tree.

mod header;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use header::extended_attributes;
pub use tree::{contents, path};
