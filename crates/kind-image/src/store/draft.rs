//! A new image in the making.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::layout::Store;
use super::placement::{Placement, place_tree};
use super::scratch::Scratch;

use crate::digest::{DigestReader, DigestWriter};
use crate::oci::{self, Descriptor, LAYER};
use crate::{Digest, Error, pack, unpack};

/// A new image in the making: layers first, lowest first, then [`Draft::commit`].
///
/// Nothing of it can be seen in the store before it is committed; dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    pub(super) store: Store,
    pub(super) scratch: Scratch,
    pub(super) layers: Vec<Prepared>,
    /// What all layers unpacked to.
    pub(super) unpacked: Mutex<unpack::Summary>,
}

/// A layer of an image, as its digests tell it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Layer {
    /// Digest of the unpacked tar.
    pub diff_id: Digest,
    /// Bytes of the unpacked tar.
    pub size: u64,
}

/// A layer that is ready to be moved into place.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) layer: Layer,
    /// Its name together with the layers below it.
    pub(super) chain_id: Digest,
    /// How the manifest calls it.
    pub(super) descriptor: Descriptor,
    /// Its unpacked directory; `None` if the store has it already.
    pub(super) directory: Option<PathBuf>,
    /// Its blob, if it is to be kept.
    pub(super) blob: Option<PathBuf>,
}

impl Store {
    /// Begins a new image.
    pub fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(self.clone(), self.scratch()?))
    }
}

impl Draft {
    pub(super) fn new(store: Store, scratch: Scratch) -> Self {
        Self {
            store,
            scratch,
            layers: Vec::new(),
            unpacked: Mutex::default(),
        }
    }

    /// What was unpacked, be it of other images of one archive.
    pub(crate) fn unpacked(&self) -> unpack::Summary {
        *self.unpacked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what other images of the same archive were unpacked to.
    pub(crate) fn count_unpacked(&self, summary: unpack::Summary) {
        *self.unpacked.lock().unwrap_or_else(PoisonError::into_inner) += summary;
    }

    /// Unpacks a layer, for which there is as much left as the others of the image have not taken.
    pub(super) fn unpack_layer(
        &self,
        directory: &Path,
        lower: &unpack::Lower,
        tar: impl Read,
    ) -> Result<(), Error> {
        let root = unpack::open_root(directory)?;
        let options = unpack::Options::layer().after(self.unpacked());
        self.count_unpacked(unpack::layer(&root, lower, tar, &options)?);
        Ok(())
    }

    /// Adds the content of a directory as a layer.
    pub fn add_directory(&mut self, path: &Path, placement: Placement) -> Result<Layer, Error> {
        let layer = digest_directory(path)?;
        let directory = self
            .scratch
            .path()
            .join(format!("layer-{}", self.layers.len()));
        place_tree(path, &directory, placement)?;
        self.push(layer.clone(), Some(directory), None);
        Ok(layer)
    }

    /// Adds a layer that the store has already above the same layers; `false` if it has not.
    pub fn add_known(&mut self, layer: &Layer) -> bool {
        let (id, chain_id) = (&layer.diff_id, self.next_chain_id(&layer.diff_id));
        let known = self.store.layer_directory(id, &chain_id, id).is_dir();
        if known {
            self.push(layer.clone(), None, None);
        }
        known
    }

    /// Adds a layer from its unpacked tar; its blob is kept, as it cannot be made again exactly.
    pub fn add_tar(&mut self, tar: &mut dyn Read) -> Result<Layer, Error> {
        let number = self.layers.len();
        let directory = self.scratch.path().join(format!("layer-{number}"));
        let blob = self.scratch.path().join(format!("blob-{number}"));
        make_root(&directory)?;
        let file = fs::File::create(&blob).map_err(Error::path("create", &blob))?;
        let mut tee = DigestReader::new(Tee {
            from: tar,
            to: io::BufWriter::new(file),
        });
        let lower = unpack::Lower::open_layers(&self.layer_directories())?;
        self.unpack_layer(&directory, &lower, &mut tee)?;
        unpack::drain_padding(&mut tee).map_err(Error::io("read layer"))?;
        let (diff_id, size) = tee.finish();
        let layer = Layer { diff_id, size };
        self.push(layer.clone(), Some(directory), Some(blob));
        Ok(layer)
    }

    /// The chain id of a layer that comes next.
    fn next_chain_id(&self, diff_id: &Digest) -> Digest {
        let below = self.layers.last().map(|layer| &layer.chain_id);
        oci::chain_id(below, diff_id)
    }

    /// Where the layers are now.
    fn layer_directories(&self) -> Vec<PathBuf> {
        let directory = |layer: &Prepared| {
            let (id, blob) = (&layer.layer.diff_id, &layer.descriptor.digest);
            let own = layer.directory.clone();
            own.unwrap_or_else(|| self.store.layer_directory(id, &layer.chain_id, blob))
        };
        self.layers.iter().map(directory).collect()
    }

    fn push(&mut self, layer: Layer, directory: Option<PathBuf>, blob: Option<PathBuf>) {
        self.layers.push(Prepared {
            chain_id: self.next_chain_id(&layer.diff_id),
            descriptor: Descriptor::new(LAYER, layer.diff_id.clone(), layer.size),
            layer,
            directory,
            blob,
        });
    }
}

/// Makes a layer's directory, which lends its mode to the root of containers: it is the same whatever the
/// caller's umask is.
pub(super) fn make_root(path: &Path) -> Result<(), Error> {
    fs::create_dir(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .map_err(Error::path("create", path))
}

fn digest_directory(path: &Path) -> Result<Layer, Error> {
    let root = unpack::open_root(path)?;
    let mut sink = DigestWriter::new(io::sink());
    pack::contents(&root, &mut sink)?;
    let (diff_id, size, _) = sink.finish();
    Ok(Layer { diff_id, size })
}

/// Gives what it reads, and writes it down.
struct Tee<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: io::Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if count == 0 {
            self.to.flush()?;
        }
        self.to.write_all(&buffer[..count])?;
        Ok(count)
    }
}
