//! Writing images of a store as one tar that is an OCI layout and a docker archive at once.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::json;

use super::layout::{Layout, blob_name};
use crate::concurrent::run_piped;
use crate::digest::DigestWriter;
use crate::oci::{CONTAINERD_NAME_ANNOTATION, Descriptor, Index, REFERENCE_ANNOTATION};
use crate::store::{Image, Store};
use crate::{Digest, Error, pack, unpack};

/// Writes images with all their names as one tar stream.
///
/// It holds an OCI layout (`index.json`, for containerd and newer engines) and a docker archive's
/// `manifest.json` over the same blobs. Layers are uncompressed.
pub fn write(store: &Store, images: &[Image], out: impl Write) -> Result<(), Error> {
    let mut layout = Layout::begin_layout(out, &index_of(images))?;
    let listed = docker_manifest(images).to_string();
    layout.write_file("manifest.json", listed.as_bytes())?;
    for image in images {
        write_image(&mut layout, store, image)?;
    }
    layout.finish()
}

fn write_image(layout: &mut Layout<impl Write>, store: &Store, image: &Image) -> Result<(), Error> {
    let manifest = image.manifest();
    for digest in [image.digest(), &manifest.config.digest] {
        if layout.wants_blob(digest) {
            write_file(layout, store, digest)?;
        }
    }
    let layers = manifest.layers.iter().zip(image.layers());
    for ((layer, directory), diff_id) in layers.zip(&image.document().rootfs.diff_ids) {
        if layout.wants_blob(&layer.digest) {
            if store.blob_path(&layer.digest).exists() {
                write_file(layout, store, &layer.digest)?;
            } else {
                write_directory(layout, directory, layer, diff_id)?;
            }
        }
    }
    Ok(())
}

fn write_file(
    layout: &mut Layout<impl Write>,
    store: &Store,
    digest: &Digest,
) -> Result<(), Error> {
    let path = store.blob_path(digest);
    let file = File::open(&path).map_err(Error::path("open", &path))?;
    let size = file.metadata().map_err(Error::path("read", &path))?.len();
    layout.write_blob(digest, size, file)
}

/// Writes a layer's tar from its directory, as it was written when its digest was taken.
fn write_directory(
    layout: &mut Layout<impl Write>,
    path: &Path,
    layer: &Descriptor,
    diff_id: &Digest,
) -> Result<(), Error> {
    let root = unpack::open_root(path)?;
    let pack = |writer| {
        let mut sink = DigestWriter::new(io::BufWriter::with_capacity(1 << 20, writer));
        let packed = pack::contents(&root, &mut sink);
        let (digest, size, _) = sink.finish();
        packed.map(|()| (digest, size))
    };
    // A tar longer than promised finds nobody who reads the rest.
    let write = |reader: io::PipeReader| {
        let content = reader.take(layer.size);
        layout.write_blob(&layer.digest, layer.size, content)
    };
    let (packed, written) = run_piped(pack, write).map_err(Error::io("make pipe"))?;
    let (found, size) = written.and(packed)?;
    if found == *diff_id && size == layer.size {
        return Ok(());
    }
    Err(Error::Mismatch {
        what: path.display().to_string(),
        expected: diff_id.clone(),
        found,
    })
}

fn index_of(images: &[Image]) -> Index {
    let mut index = Index::default();
    for image in images {
        let size = serde_json::to_vec(image.manifest()).map_or(0, |bytes| bytes.len() as u64);
        for name in image.references() {
            let mut entry = Descriptor::new(crate::oci::MANIFEST, image.digest().clone(), size);
            entry
                .annotations
                .insert(CONTAINERD_NAME_ANNOTATION.to_owned(), name.to_string());
            let tag = name.tag().unwrap_or_default().to_owned();
            entry
                .annotations
                .insert(REFERENCE_ANNOTATION.to_owned(), tag);
            index.manifests.push(entry);
        }
    }
    index
}

fn docker_manifest(images: &[Image]) -> serde_json::Value {
    images
        .iter()
        .map(|image| {
            let manifest = image.manifest();
            let names: Vec<String> = image.references().iter().map(ToString::to_string).collect();
            let layers: Vec<String> = manifest
                .layers
                .iter()
                .map(|layer| blob_name(&layer.digest))
                .collect();
            json!({
                "Config": blob_name(&manifest.config.digest),
                "RepoTags": names,
                "Layers": layers,
            })
        })
        .collect()
}
