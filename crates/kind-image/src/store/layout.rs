//! The store on disk: its places, its lock and its documents.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::scratch::{self, Scratch};
use crate::oci::{ImageConfig, Index, Manifest};
use crate::{Digest, Error};

/// A directory of images.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// Where unpacked layers are, by their chain ids.
pub(super) const CHAINS: &str = "chains";
/// Where earlier versions had them, by their diff ids.
pub(super) const FORMER_LAYERS: &str = "layers";

/// What the name of a text ends with that is not in its place yet.
const UNFINISHED: &str = "new";

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
            store.replace_file(&layout, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        Ok(store)
    }

    /// The directory it was opened at.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a directory for drafts, and removes those of processes that are gone.
    pub(crate) fn scratch(&self) -> Result<Scratch, Error> {
        let _lock = self.lock()?;
        let tmp = self.root.join("tmp");
        scratch::sweep_scratch(&tmp)?;
        Scratch::make_scratch(&tmp)
    }

    /// Removes what writers that are gone have left: drafts, and texts that are not in their place. Only who has the lock
    /// writes those.
    pub fn sweep(&self) -> Result<(), Error> {
        let _lock = self.lock()?;
        scratch::sweep_scratch(&self.root.join("tmp"))?;
        for directory in [self.root.clone(), self.root.join("holds")] {
            for entry in fs::read_dir(&directory).map_err(Error::path("read", &directory))? {
                let path = entry.map_err(Error::path("read", &directory))?.path();
                if path.extension().is_some_and(|it| it == UNFINISHED) {
                    fs::remove_file(&path).map_err(Error::path("remove", &path))?;
                }
            }
        }
        Ok(())
    }

    /// Waits for the exclusive lock.
    pub(super) fn lock(&self) -> Result<Locked, Error> {
        self.locked(File::lock)
    }

    /// Waits until nobody changes the store, and keeps it so.
    pub(super) fn lock_shared(&self) -> Result<Locked, Error> {
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
            .map(|((diff_id, chain_id), layer)| {
                self.layer_directory(diff_id, &chain_id, &layer.digest)
            })
            .collect()
    }

    /// Where a layer is, or belongs.
    pub(super) fn layer_directory(
        &self,
        diff_id: &Digest,
        chain_id: &Digest,
        blob: &Digest,
    ) -> PathBuf {
        let path = self.layer_path(chain_id);
        let former = self.former_layer_path(diff_id);
        // What was made here lists all its directories: it is the same above any layers.
        let made_here = !self.blob_path(blob).exists();
        if !path.is_dir() && made_here && former.is_dir() {
            former
        } else {
            path
        }
    }

    /// Where content of that digest is or would be.
    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// A JSON document by its digest, which is checked.
    pub(super) fn read_document<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T, Error> {
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

    pub(super) fn read_index(&self) -> Result<Index, Error> {
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
        self.replace_file(&self.root.join("index.json"), &bytes)
    }

    /// Writes a file so that it is either whole or as before. The caller holds the lock.
    pub(super) fn replace_file(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let temporary = path.with_extension(UNFINISHED);
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        };
        write().map_err(|error| {
            // On a full disk its room is what the user needs.
            let _ = fs::remove_file(&temporary);
            Error::path("write", path)(error)
        })
    }
}
