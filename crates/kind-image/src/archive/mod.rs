//! Images as tar streams: what `docker save`, `docker load` and `ctr images import` speak.

mod artifact;
mod compression;
mod content;
mod images;
mod layout;
mod listing;
mod open;
mod platform;
mod portable;
#[cfg(test)]
mod portable_tests;
mod read;
#[cfg(test)]
mod tests;
mod verified;
mod write;

pub(crate) use compression::Compression;
pub use content::{Blob, BlobReader};
pub use open::Archive;
pub use portable::{ImageName, PortableImage, PortableLayer, write_partial};
pub use read::read;
pub use write::write;
