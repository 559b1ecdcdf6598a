//! Putting a finished draft into the store.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::catalog::set_name;
use super::draft::{Draft, Prepared};
use super::image::Image;
use super::layout::Store;
use crate::oci::{self, Descriptor, ImageConfig, Manifest, RootFs};
use crate::{Digest, Error, Reference, durable};

/// The documents of an image as they came.
pub(crate) struct Documents<'a> {
    pub(crate) manifest: &'a [u8],
    pub(crate) config: &'a [u8],
}

impl Draft {
    /// Puts the image into the store under these names.
    ///
    /// The configuration's list of layers is filled in from the layers added.
    pub fn commit(self, config: ImageConfig, names: &[Reference]) -> Result<Image, Error> {
        commit_draft(self, config, names)
    }
}

/// Moves a draft's layers into place, writes its documents and names the image.
fn commit_draft(
    draft: Draft,
    mut config: ImageConfig,
    names: &[Reference],
) -> Result<Image, Error> {
    config.rootfs = RootFs {
        kind: "layers".to_owned(),
        diff_ids: draft
            .layers
            .iter()
            .map(|prepared| prepared.layer.diff_id.clone())
            .collect(),
    };
    let config = encode_document(&config);
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(oci::MANIFEST.to_owned()),
        config: Descriptor::new(oci::CONFIG, Digest::of(&config), config.len() as u64),
        layers: draft
            .layers
            .iter()
            .map(|prepared| prepared.descriptor.clone())
            .collect(),
    };
    let manifest = encode_document(&manifest);
    let documents = Documents {
        manifest: &manifest,
        config: &config,
    };
    commit_documents(draft, &documents, names)
}

/// Moves a draft's layers and documents into place and names the image.
pub(super) fn commit_documents(
    draft: Draft,
    documents: &Documents<'_>,
    names: &[Reference],
) -> Result<Image, Error> {
    let Draft {
        store,
        scratch,
        layers,
        unpacked: _,
    } = draft;
    if layers.iter().any(|prepared| prepared.directory.is_some()) {
        durable::flush_tree(store.root())?;
    }
    let lock = store.lock()?;
    for prepared in &layers {
        place_layer(&store, prepared)?;
    }
    put_blob(&store, documents.config)?;
    let digest = put_blob(&store, documents.manifest)?;
    let size = documents.manifest.len() as u64;
    let mut index = store.read_index()?;
    for name in names {
        set_name(&mut index, name, &digest, size);
    }
    store.write_index(&index)?;
    let image = Image::load(&store, &digest, names.to_vec())?;
    image.check()?;
    // A name may have left another image, which is then no longer needed.
    store.collect_garbage(lock)?;
    drop(scratch);
    Ok(image)
}

fn place_layer(store: &Store, prepared: &Prepared) -> Result<(), Error> {
    if let Some(directory) = &prepared.directory {
        move_unless_there(directory, &store.layer_path(&prepared.chain_id))?;
    }
    if let Some(blob) = &prepared.blob {
        move_unless_there(blob, &store.blob_path(&prepared.descriptor.digest))?;
    }
    Ok(())
}

/// Another process may have been faster with the same content.
pub(super) fn move_unless_there(from: &Path, to: &Path) -> Result<(), Error> {
    if to.exists() {
        return Ok(());
    }
    fs::rename(from, to).map_err(Error::path("move into the store:", to))
}

fn encode_document<T: Serialize>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).expect("an image document is plain data")
}

fn put_blob(store: &Store, document: &[u8]) -> Result<Digest, Error> {
    let digest = Digest::of(document);
    store.replace_file(&store.blob_path(&digest), document)?;
    Ok(digest)
}
