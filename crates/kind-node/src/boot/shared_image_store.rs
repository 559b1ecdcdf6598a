//! The `/var` of a node whose engine shares one between all nodes of an image.
//!
//! The engine shows the shared one at [`SHARED`] and gives the node an empty volume at `/var`. What the
//! image's containerd has unpacked is shown from there; everything else is copied, once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kind_sys::mount::{self, DetachedMount};
use kind_sys::{mountinfo, tree};
use rustix::mount::{UnmountFlags, unmount};

use super::log;

const SHARED: &str = "/.kind-shared-var";
const VAR: &str = "/var";
/// Where containerd keeps unpacked layers, below `/var`.
const SNAPSHOTS: &str = "lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots";
/// In `/var`, once everything is there.
const FILLED: &str = "/var/.kind-filled";

/// Fills `/var` where there is a shared one.
pub(crate) fn fill_var() -> io::Result<()> {
    if !Path::new(SHARED).exists() {
        return Ok(());
    }
    let filled = Path::new(FILLED).exists();
    let mounts = mounts_below(Path::new(VAR))?;
    if !filled {
        clear_var(Path::new(VAR), Path::new(""), &mounts)?;
    }
    if !Path::new(SHARED).join("done").exists() {
        log::warn("the shared /var is not whole, copying the image's");
        if !filled {
            copy_from_image()?;
        }
    } else {
        let source = Path::new(SHARED).join("var");
        let layers = unpacked_layers(&source)?;
        if !filled {
            let kept: Vec<&Path> = layers.iter().chain(&mounts).map(PathBuf::as_path).collect();
            tree::copy(&source, Path::new(VAR), &kept)?;
        }
        for layer in &layers {
            // One that containerd has removed is not wanted any more.
            let target = Path::new(VAR).join(layer);
            if target.is_dir() {
                mount::bind_read_only(&source.join(layer), &target)?;
            }
        }
    }
    fs::write(FILLED, "")
}

/// Empties a directory: a start that was cut short has left a part. What the user shows there (`mounts`)
/// belongs to the host and is left alone.
fn clear_var(var: &Path, below: &Path, mounts: &[PathBuf]) -> io::Result<()> {
    for entry in fs::read_dir(var.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if mounts.contains(&path) {
            continue;
        }
        if mounts.iter().any(|mount| mount.starts_with(&path)) {
            clear_var(var, &path, mounts)?;
        } else if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// What the user shows below a directory, relative to it.
fn mounts_below(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let below = |mount: mountinfo::Mount| {
        let below = mount.target.strip_prefix(directory).ok()?;
        (!below.as_os_str().is_empty()).then(|| below.to_owned())
    };
    Ok(mountinfo::read()?.into_iter().filter_map(below).collect())
}

/// Directories of the snapshots that have an unpacked layer, below a `/var`. They are shown whole: for a pod
/// with a user namespace containerd maps owners by a mount of the directory above `fs`, in which a mount on `fs`
/// itself would be missing.
fn unpacked_layers(var: &Path) -> io::Result<Vec<PathBuf>> {
    let mut snapshots = Vec::new();
    for entry in fs::read_dir(var.join(SNAPSHOTS))? {
        let snapshot = Path::new(SNAPSHOTS).join(entry?.file_name());
        let layer = fs::symlink_metadata(var.join(&snapshot).join("fs"));
        if layer.is_ok_and(|layer| layer.is_dir()) {
            snapshots.push(snapshot);
        }
    }
    snapshots.sort();
    Ok(snapshots)
}

/// The image's own `/var` lies below the volume.
fn copy_from_image() -> io::Result<()> {
    let volume = DetachedMount::copy(Path::new(VAR))?;
    unmount(VAR, UnmountFlags::DETACH)?;
    let beside = Path::new("/kind/var");
    fs::create_dir_all(beside)?;
    volume.attach_at(beside)?;
    tree::copy(Path::new(VAR), beside, &[])?;
    DetachedMount::copy(beside)?.attach_at(Path::new(VAR))?;
    Ok(unmount(beside, UnmountFlags::DETACH)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacked_layers_are_found() {
        let var = tempfile::tempdir().unwrap();
        for name in ["2/fs", "10/fs", "10/work", "3/work"] {
            fs::create_dir_all(var.path().join(SNAPSHOTS).join(name)).unwrap();
        }
        fs::create_dir(var.path().join(SNAPSHOTS).join("4")).unwrap();
        std::os::unix::fs::symlink("/etc", var.path().join(SNAPSHOTS).join("4/fs")).unwrap();
        let names = ["10", "2"].map(|name| Path::new(SNAPSHOTS).join(name));
        assert_eq!(unpacked_layers(var.path()).unwrap(), names);
    }

    #[test]
    fn what_a_start_has_left_half_done_goes() {
        let var = tempfile::tempdir().unwrap();
        fs::create_dir_all(var.path().join("lib/half")).unwrap();
        fs::write(var.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("/etc", var.path().join("link")).unwrap();
        clear_var(var.path(), Path::new(""), &[]).unwrap();
        assert_eq!(fs::read_dir(var.path()).unwrap().count(), 0);
        assert!(Path::new("/etc").exists());
    }

    #[test]
    fn what_the_user_shows_below_it_is_not_touched() {
        let var = tempfile::tempdir().unwrap();
        let theirs = var.path().join("lib/mine/data");
        fs::create_dir_all(theirs.parent().unwrap()).unwrap();
        fs::write(&theirs, "theirs").unwrap();
        fs::create_dir_all(var.path().join("lib/half")).unwrap();
        clear_var(var.path(), Path::new(""), &["lib/mine".into()]).unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        assert!(!var.path().join("lib/half").exists());
    }
}
