//! Patches of kubeadm's documents and of containerd's configuration.

use kind_config::{Cluster, JsonPatch, yaml};
use kind_kubeadm::{containerd, patch};

/// Merge patches and JSON patches are applied to a stream of documents or refused; the result is YAML,
/// and without patches it stays as it is. Input: the documents, a merge patch, a JSON patch.
pub fn kubeadm_patches(data: &[u8]) {
    let Some(parts) = crate::split(data) else {
        return;
    };
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let mut operations = JsonPatch::default();
    operations.kind = "ClusterConfiguration".to_owned();
    operations.patch = part(2).to_owned();
    let merge = [part(1).to_owned()];
    for operations in [&[operations][..], &[]] {
        let Ok(patched) = patch::patch_stream(part(0), &merge, operations) else {
            continue;
        };
        let documents =
            yaml::documents(&patched).unwrap_or_else(|error| panic!("{error}\n{patched}"));
        let again = patch::patch_stream(&patched, &[], &[]).expect("what was written is read");
        assert_eq!(again, patched);
        drop(documents);
    }
}

/// TOML patches and JSON patches are applied to a configuration or refused; the result is TOML, and
/// without patches it stays as it is. Input: the configuration, a TOML patch, a JSON patch.
pub fn containerd_patches(data: &[u8]) {
    let Some(parts) = crate::split(data) else {
        return;
    };
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let mut cluster = Cluster::default();
    cluster.containerd_config_patches = vec![part(1).to_owned()];
    if !part(2).is_empty() {
        cluster.containerd_config_patches_json6902 = vec![part(2).to_owned()];
    }
    let settings = containerd::Settings::new(&cluster);
    let patched = settings.and_then(|settings| containerd::patch(part(0), &settings));
    let Ok(patched) = patched.map(|patched| patched.text) else {
        return;
    };
    // A patch may take the version away, without which a configuration is none.
    if let Ok(again) = containerd::patch(&patched, &containerd::Settings::default()) {
        assert_eq!(again.text, patched);
    } else {
        assert!(
            !patched.lines().any(|line| line.starts_with("version = 2")),
            "{patched}"
        );
    }
    let _ = containerd::snapshotter(&patched);
}
