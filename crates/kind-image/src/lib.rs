//! OCI images: references, the local store, unpacking and packing layers, building node images.
#![forbid(unsafe_code)]

pub mod archive;
mod bounded;
pub mod build;
mod code;
pub mod concurrent;
mod digest;
mod durable;
mod error;
pub mod http;
pub mod oci;
pub mod pack;
pub mod packages;
mod private_directory;
mod progress;
mod reference;
pub mod registry;
mod room;
pub mod sbom;
pub mod store;
pub mod unpack;

pub use code::Code;
pub use digest::{Digest, InvalidDigest};
pub use error::{Error, Refusal};
pub use private_directory::{make_private_directory, open_private_lock};
pub use progress::{Progress, ProgressSink};
pub use reference::{Reference, friendly};
pub use store::{Image, Store};
