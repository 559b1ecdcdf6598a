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

pub use patched::{CONFIG_PATH, Patched, patch};
pub use registries::registry_files;
pub use settings::Settings;
pub(crate) use settings::patch_problems;
pub use snapshotter::snapshotter;
