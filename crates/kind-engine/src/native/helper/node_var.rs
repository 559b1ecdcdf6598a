//! A node's `/var`: a directory on the host's own filesystem, because the node's containerd cannot put its
//! snapshots on an overlay.
//!
//! It starts as the image's `/var`, but what containerd has unpacked there is not copied: those
//! directories are read-only by nature, and are shown from the image's layers instead. A snapshot's whole
//! directory is shown, not only its `fs`: for a pod with a user namespace containerd maps owners by a mount of
//! the directory above `fs`, in which a mount on `fs` itself would be missing.

use std::fs;
use std::io;
use std::path::Path;

use kind_sys::mount::DetachedMount;
use kind_sys::{namespace, tree};

use super::rootfs;
use crate::Error;
use crate::native::containerd::BELOW_VAR;
use crate::native::record::NodeRecord;
use crate::native::state::State;

/// Fills the node's `/var`.
pub(in crate::native) fn fill_var(state: &State, name: &str) -> Result<i32, Error> {
    let directory = state.node(name);
    let record = NodeRecord::load(&directory)?;
    let own = directory.file("var.new");
    let failed = || format!("copy /var of image {} for node {name}", record.image);
    let _ = fs::remove_dir_all(&own);
    fs::create_dir(&own).map_err(Error::io(failed()))?;
    namespace::unshare_mounts().map_err(Error::io("make a mount namespace"))?;
    let target = DetachedMount::copy(&own).map_err(Error::io(failed()))?;
    let shared_image_store = record
        .shared_image_store
        .as_deref()
        .map(DetachedMount::copy)
        .transpose();
    let shared_image_store = shared_image_store.map_err(Error::io(failed()))?;
    rootfs::enter_files(state, &record)?;
    // Any directories that every image has will do to reach the host's from inside.
    let (inside, from) = (Path::new("/proc"), Path::new("/sys"));
    target.attach_at(inside).map_err(Error::io(failed()))?;
    let shared: Vec<_> = record
        .shared
        .iter()
        .map(|(_, below)| below.as_path())
        .collect();
    let Some(shared_image_store) = shared_image_store else {
        return copy_var(inside, &shared).map_err(Error::io(failed()));
    };
    shared_image_store
        .attach_at(from)
        .map_err(Error::io(failed()))?;
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
