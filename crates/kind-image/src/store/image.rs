//! An image of the store.

use std::path::{Path, PathBuf};

use crate::oci::{ImageConfig, Manifest, RunConfig};
use crate::{Digest, Error, Reference};

use super::Store;

/// An image of the store: its documents, and where its unpacked layers are.
#[derive(Debug, Clone)]
pub struct Image {
    pub(super) digest: Digest,
    pub(super) references: Vec<Reference>,
    pub(super) manifest: Manifest,
    pub(super) config: ImageConfig,
    pub(super) layers: Vec<PathBuf>,
}

impl Image {
    /// Image id: digest of the configuration.
    pub fn id(&self) -> &Digest {
        &self.manifest.config.digest
    }

    /// Digest of the manifest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Names of the image, sorted.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Directories of the unpacked layers, lowest first. Read-only by agreement: they are shared.
    pub fn layers(&self) -> &[PathBuf] {
        &self.layers
    }

    /// How containers of the image run: environment, entrypoint, stop signal, labels.
    pub fn config(&self) -> &RunConfig {
        &self.config.config
    }

    /// The whole configuration document.
    pub fn document(&self) -> &ImageConfig {
        &self.config
    }

    /// The manifest document.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What the image runs on, for example `amd64`.
    pub fn architecture(&self) -> &str {
        &self.config.architecture
    }

    /// Bytes of all layers as tars.
    pub fn size(&self) -> u64 {
        self.manifest.layers.iter().map(|layer| layer.size).sum()
    }

    /// Reads an image by the digest of its manifest.
    pub(super) fn load(
        store: &Store,
        digest: &Digest,
        references: Vec<Reference>,
    ) -> Result<Self, Error> {
        let manifest: Manifest = store.document(digest)?;
        let config: ImageConfig = store.document(&manifest.config.digest)?;
        let layers = config
            .rootfs
            .diff_ids
            .iter()
            .map(|diff_id| present(store.layer_path(diff_id), digest))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            digest: digest.clone(),
            references,
            manifest,
            config,
            layers,
        })
    }
}

fn present(path: PathBuf, image: &Digest) -> Result<PathBuf, Error> {
    if path.is_dir() {
        return Ok(path);
    }
    let name = path.file_name().unwrap_or_default();
    Err(Error::Incomplete {
        image: image.clone(),
        what: format!("layer {}", Path::new(name).display()),
    })
}
