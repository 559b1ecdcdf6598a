//! Patches of kubeadm's documents: which documents a patch is for, and how it changes them.

mod arguments;
mod effect;
mod json6902;
mod matching;
mod merge;
mod patches;

pub use crate::error::PatchError;
pub use crate::stream::split_documents;
pub(crate) use effect::named_arguments;
pub use effect::{PatchWarning, patch_warnings};
pub(crate) use json6902::Operations;
pub use patches::{Patches, patch_stream};

#[cfg(test)]
mod tests;
