//! Putting a finished draft into the store.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::catalog::set_name;
use super::draft::{Draft, Prepared};
use super::{Image, Store};
use crate::oci::{self, Descriptor, ImageConfig, Manifest, RootFs};
use crate::{Digest, Error, Reference, durable};

/// Moves a draft's layers and documents into place and names the image.
pub(super) fn commit(
    draft: Draft,
    mut config: ImageConfig,
    names: &[Reference],
) -> Result<Image, Error> {
    let Draft {
        store,
        scratch,
        layers,
    } = draft;
    config.rootfs = RootFs {
        kind: "layers".to_owned(),
        diff_ids: layers
            .iter()
            .map(|prepared| prepared.layer.diff_id.clone())
            .collect(),
    };
    if layers.iter().any(|prepared| prepared.directory.is_some()) {
        durable::flush(store.root())?;
    }
    let lock = store.lock()?;
    for prepared in &layers {
        place(&store, prepared)?;
    }
    let (config_digest, config_size) = put_document(&store, &config)?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(oci::MANIFEST.to_owned()),
        config: Descriptor::new(oci::CONFIG, config_digest, config_size),
        layers: layers
            .into_iter()
            .map(|prepared| prepared.descriptor)
            .collect(),
    };
    let (digest, size) = put_document(&store, &manifest)?;
    let mut index = store.index()?;
    for name in names {
        set_name(&mut index, name, &digest, size);
    }
    store.write_index(&index)?;
    let image = Image::load(&store, &digest, names.to_vec())?;
    // A name may have left another image, which is then no longer needed.
    store.collect_garbage(lock)?;
    drop(scratch);
    Ok(image)
}

fn place(store: &Store, prepared: &Prepared) -> Result<(), Error> {
    if let Some(directory) = &prepared.directory {
        move_unless_there(directory, &store.layer_path(&prepared.layer.diff_id))?;
    }
    if let Some(blob) = &prepared.blob {
        move_unless_there(blob, &store.blob_path(&prepared.descriptor.digest))?;
    }
    Ok(())
}

/// Another process may have been faster with the same content.
fn move_unless_there(from: &Path, to: &Path) -> Result<(), Error> {
    if to.exists() {
        return Ok(());
    }
    fs::rename(from, to).map_err(Error::path("move into the store:", to))
}

fn put_document<T: Serialize>(store: &Store, document: &T) -> Result<(Digest, u64), Error> {
    let bytes = serde_json::to_vec(document).expect("an image document is plain data");
    let digest = Digest::of(&bytes);
    store.replace(&store.blob_path(&digest), &bytes)?;
    Ok((digest, bytes.len() as u64))
}
