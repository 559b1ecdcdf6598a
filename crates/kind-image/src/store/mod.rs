//! The local image store.
//!
//! On disk it is an OCI image layout (`oci-layout`, `index.json`, `blobs/sha256/…`) with one addition:
//! every layer stands unpacked in `chains/<hexadecimal chain id>/`, ready to be a lower directory of
//! overlayfs: once for the layers below it, because what it is depends on them. A layer made here has no
//! blob: its tar is written again from its directory when somebody asks for it, and checked against its
//! digest.
//!
//! Earlier versions had layers in `layers/<hexadecimal diff id>/`, unpacked without a look at those below. What
//! was made here is right there as well and is used; what was unpacked is unpacked again from its blob.
//!
//! Several processes may use a store at once. Content is prepared in `tmp/` and moved into place under
//! the store's lock; whatever a crash leaves in `tmp/` is swept once the lock of its maker is free.
//! Readers share the lock, so that nothing goes while they look it up; it is never held for long.

mod catalog;
mod commit;
mod draft;
mod fetched;
#[cfg(test)]
mod former_tests;
mod holds;
mod image;
mod layers;
mod layout;
mod placement;
mod prune;
mod restore;
mod scratch;
#[cfg(test)]
mod tests;

pub(crate) use commit::Documents;
pub use draft::{Draft, Layer};
pub(crate) use fetched::Fetched;
pub use holds::ProcessHold;
pub use image::Image;
pub use layout::Store;
pub use placement::Placement;
pub use prune::{Unused, size_on_disk};
