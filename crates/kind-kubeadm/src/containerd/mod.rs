//! containerd's configuration.

mod comments;
mod layout;
mod patched;
mod registries;
mod settings;
mod snapshotter;
mod table;

pub use patched::patch;
pub use registries::registry_files;
pub use settings::Settings;
pub(crate) use settings::patch_problems;
pub use snapshotter::snapshotter;

/// Where containerd's configuration stands in a node.
pub const CONFIG_PATH: &str = "/etc/containerd/config.toml";
