//! Reading images from an archive into a store.

use std::io::Read;

use super::compression::Compression;
use super::{Archive, ImageName, PortableImage};
use crate::oci::Platform;
use crate::store::{Image, Store};
use crate::unpack::Summary;
use crate::{Error, Reference};

/// Reads all images of an archive (docker's, or a tarred OCI layout) into the store; of one for several
/// platforms, the host's.
///
/// The archive and its layers may be plain or compressed with gzip or zstd. The archive is not trusted:
/// its names are resolved inside it, and its digests checked.
pub fn read(store: &Store, archive: impl Read + Send) -> Result<Vec<Image>, Error> {
    let scratch = store.scratch()?;
    let archive = Archive::receive_stream(archive, scratch.path())?;
    let images = archive.images(&Platform::of_host())?;
    let mut unpacked = Summary::default();
    let images = images.iter();
    images
        .map(|image| keep_image(store, image, &mut unpacked))
        .collect()
}

/// Keeps an image. All of an archive share what one may be unpacked to.
fn keep_image(
    store: &Store,
    image: &PortableImage,
    unpacked: &mut Summary,
) -> Result<Image, Error> {
    let mut draft = store.draft()?;
    draft.count_unpacked(*unpacked);
    for layer in image.layers() {
        let magic = layer.blob.magic().map_err(Error::io("read layer"))?;
        let mut tar = Compression::of_magic(magic)?.decode(layer.blob.reader());
        let found = draft.add_tar(&mut tar)?.diff_id;
        if found != layer.diff_id {
            return Err(Error::Mismatch {
                what: format!("layer {}", layer.name),
                expected: layer.diff_id.clone(),
                found,
            });
        }
    }
    *unpacked = draft.unpacked();
    let names: Vec<Reference> = image
        .names()
        .iter()
        .filter_map(|name| match name {
            ImageName::Full(reference) => Some(reference.clone()),
            ImageName::Tag(_) => None,
        })
        .collect();
    draft.commit(image.document().clone(), &names)
}
