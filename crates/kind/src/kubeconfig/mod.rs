//! The user's kubeconfig files: which they are, and how a cluster's entry gets in and out of them.
//!
//! Rules: client-go's loading rules for the files and the lock protocol; every field that is not ours
//! stays as it stands, scalars to the letter.

mod document;
mod export;
mod files;
mod home;
mod lock;
mod text;
mod update;
mod write;

pub use document::context_name;
pub(crate) use document::{encode_document, from_admin};
pub use export::Endpoint;
pub use files::KubeconfigFiles;
pub use home::{HomeCandidate, windows_home};
pub(crate) use lock::{HeldLock, find_lock, remove_stale_lock};
pub(crate) use update::{check_files, find_server, remove_everywhere, write_merged};
pub use update::{merge_kubeconfig, remove_from_kubeconfig};

#[cfg(test)]
mod tests;
