//! Patches of containerd's configuration.

mod layout;
mod table;

use kind_config::Cluster;
use serde_json::Value;

use crate::Error;
use crate::patch::{PatchError, apply_operations};

/// Where containerd's configuration stands in a node.
pub const CONFIG_PATH: &str = "/etc/containerd/config.toml";

/// True if a cluster's nodes need their containerd configuration patched.
pub fn has_patches(cluster: &Cluster) -> bool {
    !cluster.containerd_config_patches.is_empty()
        || !cluster.containerd_config_patches_json6902.is_empty()
}

/// Changes a node's containerd configuration by the cluster's patches: the TOML merge patches first
/// (those that name another configuration version than the file's are skipped), then the JSON
/// patches. Comments do not survive, and dates become text.
///
/// # Errors
/// The configuration or a patch cannot be parsed, the configuration has no version, or a JSON patch
/// does not apply.
pub fn patch(config: &str, cluster: &Cluster) -> Result<String, Error> {
    let mut config = table::parse(config).map_err(Error::ContainerdVersion)?;
    let version = version(&config).map_err(Error::ContainerdVersion)?;
    for (index, text) in cluster.containerd_config_patches.iter().enumerate() {
        let field = format!("containerdConfigPatches[{index}]");
        let patch = table::parse(text)
            .map_err(|reason| Error::Containerd(PatchError::parse("TOML patch", &field, reason)))?;
        let wanted = patch.get("version");
        if wanted.is_none_or(|wanted| wanted.as_i64() == Some(version)) {
            json_patch::merge(&mut config, &patch);
        }
    }
    let patches = &cluster.containerd_config_patches_json6902;
    for (index, text) in patches.iter().enumerate() {
        let field = format!("containerdConfigPatchesJSON6902[{index}]");
        apply_operations(text, &field, &mut config).map_err(Error::Containerd)?;
    }
    Ok(layout::write(&config))
}

fn version(config: &Value) -> Result<i64, String> {
    match config.get("version") {
        None => Err("it has no version".to_owned()),
        Some(version) => version
            .as_i64()
            .ok_or_else(|| format!("its version is {version}, not a whole number")),
    }
}
