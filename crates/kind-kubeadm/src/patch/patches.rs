//! Patches of one level, and documents that they are applied to.

use kind_config::JsonPatch;
use serde_json::Value;

use super::json6902::OperationPatch;
use super::merge::MergePatch;
use crate::error::PatchError;
use crate::stream::{join_documents, split_documents};

/// Patches of one level, parsed: the merge patches and the JSON patches, in their order.
///
/// Patches for documents that do not exist change nothing: users list variants for several API
/// versions side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patches {
    merge: Vec<MergePatch>,
    operations: Vec<OperationPatch>,
}

impl Patches {
    /// Parses patches. `level` is what stands before the fields' names in errors: nothing for the
    /// cluster's, `nodes[N].` for a node's.
    ///
    /// # Errors
    /// A patch is not YAML, a merge patch is not a mapping, or a JSON patch is not a list of
    /// operations.
    pub fn parse(
        level: &str,
        merge: &[String],
        operations: &[JsonPatch],
    ) -> Result<Self, PatchError> {
        Ok(Self {
            merge: merge_patches(level, merge)
                .collect::<Result<Vec<_>, _>>()?
                .concat(),
            operations: operation_patches(level, operations).collect::<Result<_, _>>()?,
        })
    }

    /// Everything that is wrong with patches, as [`Patches::parse`] would find it one by one.
    pub(crate) fn problems(
        level: &str,
        merge: &[String],
        operations: &[JsonPatch],
    ) -> Vec<PatchError> {
        let merge = merge_patches(level, merge).filter_map(Result::err);
        let operations = operation_patches(level, operations).filter_map(Result::err);
        merge.chain(operations).collect()
    }

    /// Changes a document by every patch that is for it: merge patches first.
    ///
    /// # Errors
    /// An operation of a JSON patch does not apply, or a merge patch gives arguments in a form that
    /// the document's API version does not have.
    pub fn apply(&self, document: &mut Value) -> Result<(), PatchError> {
        for patch in &self.merge {
            patch.apply(document)?;
        }
        for patch in &self.operations {
            patch.apply(document)?;
        }
        Ok(())
    }
}

fn merge_patches(
    level: &str,
    texts: &[String],
) -> impl Iterator<Item = Result<Vec<MergePatch>, PatchError>> {
    texts.iter().enumerate().map(move |(index, text)| {
        MergePatch::parse(text, &format!("{level}kubeadmConfigPatches[{index}]"))
    })
}

fn operation_patches(
    level: &str,
    patches: &[JsonPatch],
) -> impl Iterator<Item = Result<OperationPatch, PatchError>> {
    patches.iter().enumerate().map(move |(index, patch)| {
        let field = format!("{level}kubeadmConfigPatchesJSON6902[{index}]");
        OperationPatch::parse(patch, field)
    })
}

/// Applies one level of patches to a stream of documents and writes it again: sorted keys, no
/// comments.
///
/// # Errors
/// The stream or a patch is not YAML, or a patch does not apply.
pub fn patch_stream(
    text: &str,
    merge: &[String],
    operations: &[JsonPatch],
) -> Result<String, PatchError> {
    let mut documents = split_documents(text)
        .map_err(|error| PatchError::parse("documents", "kubeadm.conf", error))?;
    let patches = Patches::parse("", merge, operations)?;
    for document in &mut documents {
        patches.apply(document)?;
    }
    Ok(join_documents(documents))
}
