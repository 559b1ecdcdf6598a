//! Unpacking tar streams without ever leaving the target.
//!
//! Every path is resolved by the kernel inside the target (`openat2` with `RESOLVE_IN_ROOT`), so that
//! a symbolic link of the archive, or one that stands in the target, leads to a place in the target
//! or to nothing. Joined path strings are never handed to the system.

mod apply;
mod options;
mod reader;
mod target;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use apply::{Summary, into};
pub use options::{Existing, Options, Ownership, Whiteouts};
pub use target::open_root;
