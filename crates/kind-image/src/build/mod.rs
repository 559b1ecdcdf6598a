//! Building node images.
//!
//! [`build`] walks over steps whose results are kept in a cache directory under a key of everything
//! that went into them, so that a second build does only what changed. The parts that are about one
//! source of Kubernetes stand in a module of their own ([`debian`]); everything else makes a node image
//! from a directory of programs, a node root and add-on images, wherever those come from.

mod architecture;
mod assemble;
mod cache;
mod checkout;
mod chroot;
mod command;
mod components;
mod confined;
mod contents;
pub mod debian;
mod error;
mod etcd_image;
mod fetch;
mod host;
mod node_files;
mod preload;
mod published_digest;
mod remote;
#[cfg(test)]
mod remote_tests;
mod request;
mod run;
mod shared_libraries;
mod source;
mod source_check;
mod step;
mod stop;
mod tarball;
mod tree;

pub use cache::{cache_size, discard_cache};
pub use error::Error;
pub use request::{AddOns, DigestPlaces, Freshness, Packing, RELEASES, Request};
pub use run::build;
pub use source::Source;
pub use step::{Event, Observer, Step};
pub use stop::Stop;
