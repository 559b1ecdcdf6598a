//! Images that nothing uses.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Store;
use crate::oci::{ImageConfig, Manifest};
use crate::{Digest, Error, Reference};

/// An image that nobody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Digest of its manifest.
    pub digest: Digest,
    /// Its names, sorted.
    pub names: Vec<Reference>,
    /// Bytes on disk that nothing but it, and the ones before it in a list, needs.
    pub bytes: u64,
}

impl Store {
    /// The images that nobody holds, with what removing all of them would free.
    pub fn unused(&self) -> Result<Vec<Unused>, Error> {
        let lock = self.lock()?;
        let held = self.held_manifests(&lock)?;
        drop(lock);
        let mut counted = BTreeSet::new();
        for digest in &held {
            counted.extend(self.image_paths(digest)?);
        }
        let mut unused = Vec::new();
        for image in self.list_images()? {
            if held.contains(image.digest()) {
                continue;
            }
            let parts = self.image_paths(image.digest())?.into_iter();
            let new = parts.filter(|part| counted.insert(part.clone()));
            let new: Vec<_> = new.collect();
            unused.push(Unused {
                digest: image.digest().clone(),
                names: image.references().to_vec(),
                bytes: new.iter().map(|part| size_on_disk(part)).sum(),
            });
        }
        Ok(unused)
    }

    /// Removes an image that nobody holds, with all its names; `false` if somebody holds it by now.
    pub fn remove_unused(&self, digest: &Digest) -> Result<bool, Error> {
        let lock = self.lock()?;
        if self.held_manifests(&lock)?.contains(digest) {
            return Ok(false);
        }
        let mut index = self.read_index()?;
        index.manifests.retain(|entry| entry.digest != *digest);
        self.write_index(&index)?;
        self.collect_garbage(lock)?;
        Ok(true)
    }

    /// Everything on disk that an image is made of.
    pub(super) fn image_paths(
        &self,
        digest: &Digest,
    ) -> Result<BTreeSet<std::path::PathBuf>, Error> {
        let manifest: Manifest = self.read_document(digest)?;
        let config: ImageConfig = self.read_document(&manifest.config.digest)?;
        let layers = self.layer_paths(&manifest, &config).into_iter();
        let blobs = [digest, &manifest.config.digest].into_iter();
        let blobs = blobs.chain(manifest.layers.iter().map(|layer| &layer.digest));
        Ok(layers
            .chain(blobs.map(|blob| self.blob_path(blob)))
            .collect())
    }
}

/// Bytes that removing a file or a directory frees. Files that have other names elsewhere stay.
pub fn size_on_disk(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return 0;
    };
    if metadata.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        return entries.map(|entry| size_on_disk(&entry.path())).sum();
    }
    match metadata.nlink() {
        1 => metadata.blocks() * 512,
        _ => 0,
    }
}
