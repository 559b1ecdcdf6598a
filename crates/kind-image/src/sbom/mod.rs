//! What things are made of, for programs that look for what has a known flaw: documents of SPDX 2.3 as JSON. The same
//! things make the same document.

mod debian;
mod document;
mod package;
#[cfg(test)]
mod tests;

pub(crate) use debian::installed_packages;
pub use document::{Document, Relation};
pub use package::{Package, PackageUrl};
