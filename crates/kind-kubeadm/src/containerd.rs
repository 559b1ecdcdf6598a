//! containerd's configuration.

mod comments;
mod layout;
mod patched;
mod registries;
mod snapshotter;
mod table;

pub(crate) use patched::patch_problems;
pub use patched::{has_patches, patch};
pub use registries::registry_files;
pub use snapshotter::snapshotter;

/// Where containerd's configuration stands in a node.
pub const CONFIG_PATH: &str = "/etc/containerd/config.toml";
