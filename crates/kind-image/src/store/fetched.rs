//! Images that were made elsewhere: their documents and blobs stay as they are, byte by byte.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::commit::{Documents, commit_documents};
use super::draft::{Draft, Layer, Prepared, make_root};
use super::image::Image;

use crate::archive::Compression;
use crate::digest::DigestReader;
use crate::oci::Descriptor;
use crate::unpack::{Lower, drain_padding};
use crate::{Digest, Error, Reference};

/// A layer that came as a blob and is unpacked.
#[derive(Debug)]
pub(crate) struct Fetched(Prepared);

impl Draft {
    /// Where to put the blob of a layer that is on its way.
    pub(crate) fn blob_path(&self, number: usize) -> PathBuf {
        self.scratch.path().join(format!("blob-{number}"))
    }

    /// Whether the store has a layer, unpacked and as this blob.
    pub(crate) fn has_layer(&self, descriptor: &Descriptor, chain_id: &Digest) -> bool {
        self.store.layer_path(chain_id).is_dir()
            && self.store.blob_path(&descriptor.digest).exists()
    }

    /// A layer that the store has.
    pub(crate) fn present(
        &self,
        descriptor: &Descriptor,
        diff_id: &Digest,
        chain_id: &Digest,
    ) -> Fetched {
        Fetched(Prepared {
            layer: Layer {
                diff_id: diff_id.clone(),
                size: descriptor.size,
            },
            chain_id: chain_id.clone(),
            descriptor: descriptor.clone(),
            directory: None,
            blob: None,
        })
    }

    /// Unpacks a layer whose blob stands, checked, at its [`Draft::blob_path`]. The layers below it are
    /// unpacked by now, or in the store; `chain` has their chain ids and its own.
    ///
    /// # Errors
    /// The blob cannot be unpacked, or is not the layer that the image's configuration lists.
    pub(crate) fn unpack_blob(
        &self,
        descriptor: &Descriptor,
        diff_id: &Digest,
        chain: &[Digest],
    ) -> Result<Fetched, Error> {
        let (chain_id, below) = chain.split_last().expect("a chain ends with its layer");
        let blob = self.blob_path(below.len());
        let directory = if self.store.layer_path(chain_id).is_dir() {
            None
        } else {
            let stored = below.iter().map(|chain_id| self.store.layer_path(chain_id));
            Some(self.unpack_over(stored, &blob, diff_id)?)
        };
        Ok(Fetched(Prepared {
            directory,
            blob: Some(blob),
            ..self.present(descriptor, diff_id, chain_id).0
        }))
    }

    /// Unpacks a blob, which may be compressed, into a new directory above other layers. Those are at
    /// `stored` unless this draft has unpacked them.
    pub(super) fn unpack_over(
        &self,
        stored: impl Iterator<Item = PathBuf>,
        blob: &Path,
        diff_id: &Digest,
    ) -> Result<PathBuf, Error> {
        let below = stored.enumerate().map(|(number, stored)| {
            let own = self.layer_directory(number);
            if own.is_dir() { own } else { stored }
        });
        let below: Vec<_> = below.collect();
        let directory = self.layer_directory(below.len());
        self.unpack_to(blob, &directory, diff_id, &Lower::open_layers(&below)?)?;
        Ok(directory)
    }

    fn unpack_to(
        &self,
        blob: &Path,
        directory: &Path,
        diff_id: &Digest,
        lower: &Lower,
    ) -> Result<(), Error> {
        make_root(directory)?;
        let mut stream = DigestReader::new(open_layer(blob)?);
        self.unpack_layer(directory, lower, &mut stream)?;
        drain_padding(&mut stream).map_err(Error::io("read layer"))?;
        let (found, _) = stream.finish();
        if found != *diff_id {
            return Err(Error::Mismatch {
                what: "an unpacked layer".to_owned(),
                expected: diff_id.clone(),
                found,
            });
        }
        Ok(())
    }

    fn layer_directory(&self, number: usize) -> PathBuf {
        self.scratch.path().join(format!("layer-{number}"))
    }

    /// Puts an image into the store whose layers are all there now, lowest first.
    pub(crate) fn commit_fetched(
        mut self,
        layers: Vec<Fetched>,
        documents: &Documents<'_>,
        names: &[Reference],
    ) -> Result<Image, Error> {
        self.layers = layers.into_iter().map(|layer| layer.0).collect();
        commit_documents(self, documents, names)
    }
}

/// The tar of a blob, which may be compressed.
fn open_layer(blob: &Path) -> Result<impl Read, Error> {
    let open = || File::open(blob).map_err(Error::path("open", blob));
    let mut magic = [0; 4];
    let beginning = fs::metadata(blob).map_err(Error::path("read", blob))?.len() >= 4;
    if beginning {
        open()?
            .read_exact(&mut magic)
            .map_err(Error::path("read", blob))?;
    }
    Ok(Compression::of_magic(magic)?.decode(open()?))
}
