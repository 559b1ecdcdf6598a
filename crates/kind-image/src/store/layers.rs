//! Removing what no image needs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Store;
use super::layout::{CHAINS, FORMER_LAYERS, Locked};
use super::scratch::{self, Scratch};
use crate::Error;
use crate::oci::{ImageConfig, Manifest};

impl Store {
    /// Removes blobs and layers that neither a name nor a hold leads to.
    ///
    /// Layers are moved away under the lock and removed after it, so that others do not wait.
    pub(super) fn collect_garbage(&self, lock: Locked) -> Result<(), Error> {
        let tmp = self.root().join("tmp");
        scratch::sweep_scratch(&tmp)?;
        let trash = Scratch::make_scratch(&tmp)?;
        let needed = self.needed_paths(&lock)?;
        for part in [CHAINS, FORMER_LAYERS, "blobs/sha256"] {
            move_unneeded(&self.root().join(part), &needed, trash.path())?;
        }
        drop(lock);
        drop(trash);
        Ok(())
    }

    /// Paths of the needed blobs and layers.
    fn needed_paths(&self, lock: &Locked) -> Result<BTreeSet<PathBuf>, Error> {
        let held = self.held_manifests(lock)?;
        let named = self.read_index()?.manifests.into_iter();
        let named = named.map(|entry| entry.digest).collect::<BTreeSet<_>>();
        let mut needed = BTreeSet::new();
        for digest in named.union(&held) {
            needed.extend(self.image_paths(digest)?);
            if held.contains(digest) {
                // Nodes that an earlier version made know them by these paths.
                let manifest: Manifest = self.read_document(digest)?;
                let config: ImageConfig = self.read_document(&manifest.config.digest)?;
                let diff_ids = config.rootfs.diff_ids.iter();
                needed.extend(diff_ids.map(|diff_id| self.former_layer_path(diff_id)));
            }
        }
        Ok(needed)
    }
}

fn move_unneeded(directory: &Path, needed: &BTreeSet<PathBuf>, trash: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(directory) {
        // Only stores of earlier versions have all directories.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::path("read", directory))?,
    };
    for entry in entries {
        let path = entry.map_err(Error::path("read", directory))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !needed.contains(&path) {
            let part = directory.file_name().unwrap_or_default().to_string_lossy();
            let target = trash.join(format!("{part}-{name}"));
            fs::rename(&path, &target).map_err(Error::path("move away", &path))?;
        }
    }
    Ok(())
}
