//! An image of the store.

use std::path::PathBuf;

use super::layout::Store;
use crate::oci::{ImageConfig, Manifest, RunConfig};
use crate::{Digest, Error, Reference};

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
        let manifest: Manifest = store.read_document(digest)?;
        let config: ImageConfig = store.read_document(&manifest.config.digest)?;
        Ok(Self {
            layers: store.layer_paths(&manifest, &config),
            digest: digest.clone(),
            references,
            manifest,
            config,
        })
    }

    /// Whether all its layers are there.
    pub(super) fn check(&self) -> Result<(), Error> {
        let layers = self.layers.iter().zip(&self.config.rootfs.diff_ids);
        match layers.into_iter().find(|(path, _)| !path.is_dir()) {
            None => Ok(()),
            Some((_, diff_id)) => Err(Error::Incomplete {
                image: self.digest.clone(),
                what: format!("layer {diff_id}"),
            }),
        }
    }
}
