//! containerd's configuration.

mod comments;
mod faults;
mod layout;
mod mirrors;
mod names;
mod patched;
mod registries;
mod settings;
mod snapshotter;
mod table;
mod translation;

pub use patched::{Patched, patch};
pub use registries::registry_files;
pub use settings::Settings;
pub(crate) use settings::patch_problems;
pub use snapshotter::snapshotter;

/// Where containerd's configuration stands in a node.
pub const CONFIG_PATH: &str = "/etc/containerd/config.toml";
