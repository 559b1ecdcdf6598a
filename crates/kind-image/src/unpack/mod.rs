//! Unpacking tar streams without ever leaving the target.
//!
//! Every path is resolved by the kernel inside the target (`openat2` with `RESOLVE_IN_ROOT`), so that
//! a symbolic link of the archive, or one that stands in the target, leads to a place in the target
//! or to nothing. Joined path strings are never handed to the system.
//!
//! A layer is unpacked for the layers below it: what it says about them becomes what overlayfs shows as the OCI
//! image specification has it. So a layer's directory belongs to one stack of layers.

mod apply;
mod attributes;
mod changeset;
mod lower;
mod options;
mod reader;
mod target;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use apply::{into, layer};
pub use lower::Lower;
pub use options::{Existing, Options, Ownership, Summary};
pub(crate) use reader::Extensions;
pub use reader::{Item, Kind, drain_padding, each_entry};
pub use target::open_root;
