//! Which images a store has, and under which names.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::scratch::{self, Scratch};
use super::{Draft, Image};
use crate::oci::{Descriptor, ImageConfig, Index, Manifest, REFERENCE_ANNOTATION};
use crate::{Digest, Error, Reference};

/// A directory of images.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// Where unpacked layers are, by their chain ids.
pub(super) const CHAINS: &str = "chains";
/// Where earlier versions had them, by their diff ids.
pub(super) const FORMER_LAYERS: &str = "layers";

/// The store's lock; free again when dropped.
pub(super) struct Locked {
    _file: File,
}

impl Store {
    /// Opens the store at `root`, making it where there is none.
    pub fn open(root: &Path) -> Result<Self, Error> {
        for part in ["blobs/sha256", CHAINS, "tmp", "holds"] {
            let path = root.join(part);
            fs::create_dir_all(&path).map_err(Error::path("create", &path))?;
        }
        let store = Self {
            root: root.to_owned(),
        };
        let layout = root.join("oci-layout");
        if !layout.exists() {
            let _lock = store.lock()?;
            store.replace(&layout, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        Ok(store)
    }

    /// The directory it was opened at.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The image of that name, `name@digest`, or image id or manifest digest (`sha256:…`).
    ///
    /// Short names are completed as [`Reference`] says. All layers of what is found are there, unpacked.
    pub fn find(&self, reference: &str) -> Result<Option<Image>, Error> {
        let found = self.look_up(reference)?;
        if let Some(image) = &found {
            self.restore(image)?;
        }
        Ok(found)
    }

    fn look_up(&self, reference: &str) -> Result<Option<Image>, Error> {
        if let Ok(digest) = reference.parse::<Digest>() {
            let mut images = self.list()?;
            images.retain(|image| image.digest() == &digest || image.id() == &digest);
            return Ok(images.pop());
        }
        let reference: Reference = reference.parse()?;
        let _lock = self.lock_shared()?;
        let names = self.names()?;
        let found = match reference.digest() {
            // The digest may be an index's, by which the image was asked for when it was brought.
            Some(digest) => names.into_iter().find(|(name, found)| {
                let same = name.repository() == reference.repository();
                same && (found == digest || name.digest() == Some(digest))
            }),
            None => names.into_iter().find(|(name, _)| *name == reference),
        };
        found
            .map(|(name, digest)| Image::load(self, &digest, vec![name]))
            .transpose()
    }

    /// All images, sorted by their first name. Their layers need not be there, as far as blobs are.
    pub fn list(&self) -> Result<Vec<Image>, Error> {
        let _lock = self.lock_shared()?;
        let mut by_digest: BTreeMap<Digest, Vec<Reference>> = BTreeMap::new();
        for (name, digest) in self.names()? {
            by_digest.entry(digest).or_default().push(name);
        }
        let mut images = by_digest
            .into_iter()
            .map(|(digest, names)| Image::load(self, &digest, names))
            .collect::<Result<Vec<_>, _>>()?;
        images.sort_by(|a, b| a.references().cmp(b.references()));
        Ok(images)
    }

    /// Gives an image another name; the name leaves the image that had it.
    pub fn tag(&self, image: &Image, reference: &str) -> Result<(), Error> {
        let reference: Reference = reference.parse()?;
        let _lock = self.lock()?;
        let mut index = self.index()?;
        let path = self.blob_path(image.digest());
        let size = fs::metadata(&path)
            .map_err(Error::path("read", &path))?
            .len();
        set_name(&mut index, &reference, image.digest(), size);
        self.write_index(&index)
    }

    /// Removes a name, and with an image's last name the image and every layer no other image needs.
    ///
    /// Layers of an image that somebody holds ([`Store::hold`]) stay until it is released.
    pub fn remove(&self, reference: &str) -> Result<(), Error> {
        let image = self
            .look_up(reference)?
            .ok_or_else(|| Error::Missing(reference.to_owned()))?;
        let lock = self.lock()?;
        let mut index = self.index()?;
        if reference.parse::<Digest>().is_ok() {
            index
                .manifests
                .retain(|entry| entry.digest != *image.digest());
        } else {
            let names: Vec<String> = image
                .references()
                .iter()
                .map(Reference::to_string)
                .collect();
            index.manifests.retain(|entry| {
                !entry
                    .annotations
                    .get(REFERENCE_ANNOTATION)
                    .is_some_and(|name| names.contains(name))
            });
        }
        self.write_index(&index)?;
        self.collect_garbage(lock)
    }

    /// Begins a new image.
    pub fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(self.clone(), self.scratch()?))
    }

    pub(crate) fn scratch(&self) -> Result<Scratch, Error> {
        let _lock = self.lock()?;
        let tmp = self.root.join("tmp");
        scratch::sweep(&tmp)?;
        Scratch::make(&tmp)
    }

    /// Waits for the exclusive lock.
    pub(super) fn lock(&self) -> Result<Locked, Error> {
        self.locked(File::lock)
    }

    /// Waits until nobody changes the store, and keeps it so.
    fn lock_shared(&self) -> Result<Locked, Error> {
        self.locked(File::lock_shared)
    }

    fn locked(&self, take: fn(&File) -> io::Result<()>) -> Result<Locked, Error> {
        let path = self.root.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::path("open", &path))?;
        take(&file).map_err(Error::path("lock", &path))?;
        Ok(Locked { _file: file })
    }

    /// Where the layer of that chain id is unpacked.
    pub(super) fn layer_path(&self, chain_id: &Digest) -> PathBuf {
        self.root.join(CHAINS).join(chain_id.hex())
    }

    /// Where an earlier version has the layer of that diff id.
    pub(super) fn former_layer_path(&self, diff_id: &Digest) -> PathBuf {
        self.root.join(FORMER_LAYERS).join(diff_id.hex())
    }

    /// Where the layers of an image are, or belong.
    pub(super) fn layer_paths(&self, manifest: &Manifest, config: &ImageConfig) -> Vec<PathBuf> {
        let diff_ids = config.rootfs.diff_ids.iter();
        let layers = diff_ids
            .zip(config.rootfs.chain_ids())
            .zip(&manifest.layers);
        layers
            .map(|((diff_id, chain_id), layer)| self.directory(diff_id, &chain_id, &layer.digest))
            .collect()
    }

    /// Where a layer is, or belongs.
    pub(super) fn directory(&self, diff_id: &Digest, chain_id: &Digest, blob: &Digest) -> PathBuf {
        let path = self.layer_path(chain_id);
        let former = self.former_layer_path(diff_id);
        // What was made here lists all its directories: it is the same above any layers.
        let made_here = !self.blob_path(blob).exists();
        match !path.is_dir() && made_here && former.is_dir() {
            true => former,
            false => path,
        }
    }

    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// A JSON document by its digest, which is checked.
    pub(super) fn document<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T, Error> {
        let path = self.blob_path(digest);
        let bytes = fs::read(&path).map_err(Error::path("read", &path))?;
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(Error::Mismatch {
                what: path.display().to_string(),
                expected: digest.clone(),
                found,
            });
        }
        serde_json::from_slice(&bytes).map_err(|source| Error::Document { path, source })
    }

    pub(super) fn index(&self) -> Result<Index, Error> {
        let path = self.root.join("index.json");
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| Error::Document { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
            Err(error) => Err(Error::path("read", &path)(error)),
        }
    }

    /// Replaces the index. The caller holds the lock.
    pub(super) fn write_index(&self, index: &Index) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(index).expect("an index is plain data");
        self.replace(&self.root.join("index.json"), &bytes)
    }

    /// Writes a file so that it is either whole or as before. The caller holds the lock.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let temporary = path.with_extension("new");
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        };
        write().map_err(Error::path("write", path))
    }

    fn names(&self) -> Result<Vec<(Reference, Digest)>, Error> {
        let mut names = Vec::new();
        for entry in self.index()?.manifests {
            if let Some(name) = entry.annotations.get(REFERENCE_ANNOTATION) {
                names.push((name.parse()?, entry.digest));
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Points a name at an image.
pub(super) fn set_name(index: &mut Index, name: &Reference, digest: &Digest, size: u64) {
    let name = name.to_string();
    index
        .manifests
        .retain(|entry| entry.annotations.get(REFERENCE_ANNOTATION) != Some(&name));
    let mut entry = Descriptor::new(crate::oci::MANIFEST, digest.clone(), size);
    entry
        .annotations
        .insert(REFERENCE_ANNOTATION.to_owned(), name);
    index.manifests.push(entry);
}
