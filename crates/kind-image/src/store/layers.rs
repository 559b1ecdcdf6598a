//! Removing what no image needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Store;
use super::catalog::Locked;
use super::scratch::{self, Scratch};
use crate::oci::{ImageConfig, Manifest};
use crate::{Digest, Error};

impl Store {
    /// Removes blobs and layers that neither a name nor a hold leads to.
    ///
    /// Layers are moved away under the lock and removed after it, so that others do not wait.
    pub(super) fn collect_garbage(&self, lock: Locked) -> Result<(), Error> {
        let tmp = self.root().join("tmp");
        scratch::sweep(&tmp)?;
        let trash = Scratch::make(&tmp)?;
        let (blobs, layers) = self.needed(&lock)?;
        move_unneeded(&self.root().join("layers"), &layers, trash.path())?;
        move_unneeded(&self.root().join("blobs/sha256"), &blobs, trash.path())?;
        drop(lock);
        drop(trash);
        Ok(())
    }

    /// Hexadecimal names of the needed blobs and layers.
    fn needed(&self, lock: &Locked) -> Result<(BTreeSet<String>, BTreeSet<String>), Error> {
        let mut manifests = self.held(lock)?;
        manifests.extend(
            self.index()?
                .manifests
                .into_iter()
                .map(|entry| entry.digest),
        );
        let mut blobs = BTreeSet::new();
        let mut layers = BTreeSet::new();
        for digest in manifests {
            let manifest: Manifest = self.document(&digest)?;
            let config: ImageConfig = self.document(&manifest.config.digest)?;
            blobs.extend(hex([&digest, &manifest.config.digest]));
            blobs.extend(hex(manifest.layers.iter().map(|layer| &layer.digest)));
            layers.extend(hex(&config.rootfs.diff_ids));
        }
        Ok((blobs, layers))
    }
}

fn hex<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> impl Iterator<Item = String> {
    digests.into_iter().map(|digest| digest.hex().to_owned())
}

fn move_unneeded(directory: &Path, needed: &BTreeSet<String>, trash: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(directory).map_err(Error::path("read", directory))? {
        let path = entry.map_err(Error::path("read", directory))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !needed.contains(&name) {
            let kind = if path.is_dir() { "layer" } else { "blob" };
            let target = trash.join(format!("{kind}-{name}"));
            fs::rename(&path, &target).map_err(Error::path("move away", &path))?;
        }
    }
    Ok(())
}
