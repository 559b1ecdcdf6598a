//! How users want containerd configured.

use kind_config::{Cluster, Registry};
use serde_json::Value;

use super::table;
use crate::Error;
use crate::patch::{Operations, PatchError};

/// Changes to the containerd configuration of every node, with its patches parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// TOML merge patches.
    pub(super) merge: Vec<Value>,
    /// JSON patches, after them.
    pub(super) operations: Vec<Operations>,
    /// Where images of certain registries are pulled from. Certificates that stand in files must have been read
    /// before.
    pub(super) registries: Vec<Registry>,
}

impl Settings {
    /// Takes them from a configuration.
    ///
    /// # Errors
    /// A patch cannot be parsed.
    pub fn new(cluster: &Cluster) -> Result<Self, Error> {
        Ok(Self {
            merge: merge_patches(cluster).collect::<Result<_, _>>()?,
            operations: parse_operations(cluster).collect::<Result<_, _>>()?,
            registries: cluster.registries.clone(),
        })
    }

    /// Whether they change a node's configuration at all.
    pub fn has_patches(&self) -> bool {
        !self.merge.is_empty() || !self.operations.is_empty() || !self.registries.is_empty()
    }
}

/// What is wrong with each of a cluster's patches that cannot be read.
pub(crate) fn patch_problems(cluster: &Cluster) -> Vec<Error> {
    let merge = merge_patches(cluster).filter_map(Result::err);
    merge
        .chain(parse_operations(cluster).filter_map(Result::err))
        .collect()
}

fn merge_patches(cluster: &Cluster) -> impl Iterator<Item = Result<Value, Error>> {
    let patches = cluster.containerd_config_patches.iter().enumerate();
    patches.map(|(index, text)| {
        let field = format!("containerdConfigPatches[{index}]");
        table::parse_config(text).map_err(|malformed| {
            let line = malformed.line;
            Error::Containerd(PatchError::parse("TOML patch", &field, malformed).at_line(line))
        })
    })
}

fn parse_operations(cluster: &Cluster) -> impl Iterator<Item = Result<Operations, Error>> {
    let patches = cluster.containerd_config_patches_json6902.iter();
    patches.enumerate().map(|(index, text)| {
        let field = format!("containerdConfigPatchesJSON6902[{index}]");
        Operations::parse(text, field).map_err(Error::Containerd)
    })
}
