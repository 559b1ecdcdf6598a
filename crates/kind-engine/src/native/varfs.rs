//! A node's `/var`: a directory on the host's own filesystem, because the node's containerd cannot put its
//! snapshots on an overlay.
//!
//! It starts as the image's `/var`, but what containerd has unpacked there is not copied: those
//! directories are read-only by nature, and are shown from the image's layers instead. A snapshot's whole
//! directory is shown, not only its `fs`: for a pod with a user namespace containerd maps owners by a mount of
//! the directory above `fs`, in which a mount on `fs` itself would be missing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kind_sys::mount::Detached;
use kind_sys::{namespace, tree};

use super::record::NodeRecord;
use super::rootfs;
use super::state::State;
use crate::Error;

/// Where a containerd keeps the unpacked layers of its images, below a root directory.
const CONTAINERD: &str = "var/lib/containerd";
const BELOW_VAR: &str = "lib/containerd";
const SNAPSHOTTER: &str = "io.containerd.snapshotter.v1.overlayfs/snapshots";

/// The unpacked snapshots of the image: where each is on the host, and where below `/var` it belongs.
/// One that more than one layer contributes to is not among them.
pub(super) fn shared(layers: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let mut found: Vec<(PathBuf, PathBuf)> = Vec::new();
    let mut mixed = Vec::new();
    for layer in layers {
        let Some(snapshots) = real_directory(layer, &Path::new(CONTAINERD).join(SNAPSHOTTER))
        else {
            continue;
        };
        for entry in fs::read_dir(snapshots).into_iter().flatten().flatten() {
            let below = Path::new(BELOW_VAR)
                .join(SNAPSHOTTER)
                .join(entry.file_name());
            let Some(source) = unpacked(layer, &Path::new("var").join(&below)) else {
                continue;
            };
            match found.iter().any(|(_, known)| *known == below) {
                true => mixed.push(below),
                false => found.push((source, below)),
            }
        }
    }
    found.retain(|(_, below)| !mixed.contains(below));
    found.sort();
    found
}

/// The same of what was prepared for an image whose own are packed.
pub(super) fn shared_of(containerd: &Path) -> Vec<(PathBuf, PathBuf)> {
    let snapshots = fs::read_dir(containerd.join(SNAPSHOTTER));
    let snapshots = snapshots.into_iter().flatten().flatten();
    let mut found: Vec<_> = snapshots
        .filter_map(|entry| {
            let below = Path::new(SNAPSHOTTER).join(entry.file_name());
            let source = unpacked(containerd, &below)?;
            Some((source, Path::new(BELOW_VAR).join(below)))
        })
        .collect();
    found.sort();
    found
}

/// The directory of a snapshot, if it has an unpacked layer.
fn unpacked(root: &Path, snapshot: &Path) -> Option<PathBuf> {
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

/// Fills the node's `/var`. Runs in a helper.
pub(super) fn fill(state: &State, name: &str) -> Result<i32, Error> {
    let directory = state.node(name);
    let record = NodeRecord::load(&directory)?;
    let own = directory.file("var.new");
    let failed = || format!("copy /var of image {} for node {name}", record.image);
    let _ = fs::remove_dir_all(&own);
    fs::create_dir(&own).map_err(Error::io(failed()))?;
    namespace::unshare_mounts().map_err(Error::io("make a mount namespace"))?;
    let target = Detached::copy(&own).map_err(Error::io(failed()))?;
    let prepared = record.prepared.as_deref().map(Detached::copy).transpose();
    let prepared = prepared.map_err(Error::io(failed()))?;
    rootfs::enter_files(state, &record)?;
    // Any directories that every image has will do to reach the host's from inside.
    let (inside, from) = (Path::new("/proc"), Path::new("/sys"));
    target.attach(inside).map_err(Error::io(failed()))?;
    let shared: Vec<_> = record
        .shared
        .iter()
        .map(|(_, below)| below.as_path())
        .collect();
    let Some(prepared) = prepared else {
        return copy_var(inside, &shared).map_err(Error::io(failed()));
    };
    prepared.attach(from).map_err(Error::io(failed()))?;
    copy_var(inside, &[Path::new(BELOW_VAR)]).map_err(Error::io(failed()))?;
    let kept: Vec<_> = shared
        .iter()
        .filter_map(|below| below.strip_prefix(BELOW_VAR).ok())
        .collect();
    let containerd = inside.join(BELOW_VAR);
    fs::create_dir_all(&containerd)
        .and_then(|()| tree::copy(from, &containerd, &kept))
        .map_err(Error::io(failed()))?;
    Ok(0)
}

fn copy_var(to: &Path, kept: &[&Path]) -> io::Result<i32> {
    tree::copy(Path::new("/var"), to, kept).map(|()| 0)
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
        let snapshot = |n: &str| format!("{CONTAINERD}/{SNAPSHOTTER}/{n}/fs");
        let first = layer("first", &["usr", &snapshot("1"), &snapshot("2")]);
        let second = layer("second", &[&snapshot("2"), &snapshot("3")]);
        let third = layer("third", &[]);
        fs::create_dir_all(&third).unwrap();
        symlink("/var", third.join("var")).unwrap();
        let found = shared(&[first.clone(), second, third]);
        let names: Vec<_> = found
            .iter()
            .map(|(_, below)| below.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["1", "3"]);
        assert!(found[0].0.starts_with(first));
    }
}
