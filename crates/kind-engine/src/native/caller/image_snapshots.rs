//! What a node's `/var` shows of its image instead of having a copy: the snapshots that the image's containerd
//! has unpacked. `helper/node_var.rs` fills the rest.

use std::fs;
use std::path::{Path, PathBuf};

use crate::native::containerd::{BELOW_VAR, CONTAINERD, SNAPSHOTS};

/// The unpacked snapshots of the image: where each is on the host, and where below `/var` it belongs.
/// One that more than one layer contributes to is not among them.
pub(super) fn image_snapshots(layers: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let mut found: Vec<(PathBuf, PathBuf)> = Vec::new();
    let mut mixed = Vec::new();
    for layer in layers {
        let Some(snapshots) = real_directory(layer, &Path::new(CONTAINERD).join(SNAPSHOTS)) else {
            continue;
        };
        for entry in fs::read_dir(snapshots).into_iter().flatten().flatten() {
            let below = Path::new(BELOW_VAR).join(SNAPSHOTS).join(entry.file_name());
            let Some(source) = find_unpacked_layer(layer, &Path::new("var").join(&below)) else {
                continue;
            };
            if found.iter().any(|(_, known)| *known == below) {
                mixed.push(below)
            } else {
                found.push((source, below))
            }
        }
    }
    found.retain(|(_, below)| !mixed.contains(below));
    found.sort();
    found
}

/// The same of what was prepared for an image whose own are packed.
pub(super) fn shared_store_snapshots(containerd: &Path) -> Vec<(PathBuf, PathBuf)> {
    let snapshots = fs::read_dir(containerd.join(SNAPSHOTS));
    let snapshots = snapshots.into_iter().flatten().flatten();
    let mut found: Vec<_> = snapshots
        .filter_map(|entry| {
            let below = Path::new(SNAPSHOTS).join(entry.file_name());
            let source = find_unpacked_layer(containerd, &below)?;
            Some((source, Path::new(BELOW_VAR).join(below)))
        })
        .collect();
    found.sort();
    found
}

/// The directory of a snapshot, if it has an unpacked layer.
fn find_unpacked_layer(root: &Path, snapshot: &Path) -> Option<PathBuf> {
    real_directory(root, &snapshot.join("fs"))?;
    Some(root.join(snapshot))
}

/// `root/path` if every part of it is a directory and none is a link: an image's link must not lead
/// to the host.
pub(super) fn real_directory(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut directory = root.to_owned();
    for part in path {
        directory.push(part);
        if !fs::symlink_metadata(&directory).is_ok_and(|metadata| metadata.is_dir()) {
            return None;
        }
    }
    Some(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn snapshots_are_shared_but_never_through_links() {
        let temporary = tempfile::tempdir().unwrap();
        let layer = |name: &str, paths: &[&str]| {
            let layer = temporary.path().join(name);
            for path in paths {
                fs::create_dir_all(layer.join(path)).unwrap();
            }
            layer
        };
        let snapshot = |n: &str| format!("{CONTAINERD}/{SNAPSHOTS}/{n}/fs");
        let first = layer("first", &["usr", &snapshot("1"), &snapshot("2")]);
        let second = layer("second", &[&snapshot("2"), &snapshot("3")]);
        let third = layer("third", &[]);
        fs::create_dir_all(&third).unwrap();
        symlink("/var", third.join("var")).unwrap();
        let found = image_snapshots(&[first.clone(), second, third]);
        let names: Vec<_> = found
            .iter()
            .map(|(_, below)| below.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["1", "3"]);
        assert!(found[0].0.starts_with(first));
    }
}
