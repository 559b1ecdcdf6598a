//! Reading images from a docker archive or a tarred OCI layout into a store.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use flate2::bufread::GzDecoder;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::oci::{ImageConfig, Index, Manifest};
use crate::store::{Image, Store};
use crate::{Error, Reference, unpack};

/// JSON documents of an archive are read whole; real ones have a few kilobytes.
const MAX_DOCUMENT: u64 = 16 << 20;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads all images of an archive (docker's, or a tarred OCI layout) into the store.
///
/// Layers may be plain or gzipped. The archive is not trusted: it is unpacked confined, and names in
/// its documents are resolved inside it.
pub fn read(store: &Store, archive: impl Read) -> Result<Vec<Image>, Error> {
    let scratch = store.scratch()?;
    let content = scratch.path().join("archive");
    std::fs::create_dir(&content).map_err(Error::path("create", &content))?;
    let root = unpack::open_root(&content)?;
    let options = unpack::Options {
        ownership: unpack::Ownership::Caller,
        ..unpack::Options::files("")
    };
    unpack::into(&root, archive, &options)?;
    let found = Archive { root };
    let described = found.described()?;
    described
        .iter()
        .map(|image| found.image(store, image))
        .collect()
}

struct Archive {
    root: OwnedFd,
}

/// One image as the archive's documents describe it.
struct Described {
    names: Vec<Reference>,
    config: String,
    layers: Vec<String>,
}

/// An entry of a docker archive's `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

impl Archive {
    /// Archives of newer engines have both kinds of documents; docker's is the one with full names.
    fn described(&self) -> Result<Vec<Described>, Error> {
        if self.open("manifest.json").is_ok() {
            let images: Vec<DockerImage> = self.document("manifest.json")?;
            return images.into_iter().map(DockerImage::described).collect();
        }
        if self.open("index.json").is_err() {
            let missing = "it has neither `manifest.json` nor `index.json`";
            return Err(Error::NotAnImage(missing.to_owned()));
        }
        let index: Index = self.document("index.json")?;
        index
            .manifests
            .iter()
            .map(|entry| self.described_by_oci(entry))
            .collect()
    }

    fn described_by_oci(&self, entry: &crate::oci::Descriptor) -> Result<Described, Error> {
        let manifest: Manifest = self.document(&blob_name(&entry.digest))?;
        let names = [
            crate::oci::CONTAINERD_NAME_ANNOTATION,
            crate::oci::REFERENCE_ANNOTATION,
        ];
        let name = names.iter().find_map(|key| entry.annotations.get(*key));
        Ok(Described {
            names: name
                .into_iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()?,
            config: blob_name(&manifest.config.digest),
            layers: manifest
                .layers
                .iter()
                .map(|layer| blob_name(&layer.digest))
                .collect(),
        })
    }

    fn image(&self, store: &Store, described: &Described) -> Result<Image, Error> {
        let config: ImageConfig = self.document(&described.config)?;
        if config.rootfs.diff_ids.len() != described.layers.len() {
            let text = "its configuration and its manifest list different layers";
            return Err(Error::NotAnImage(text.to_owned()));
        }
        let mut draft = store.draft()?;
        for (name, expected) in described.layers.iter().zip(&config.rootfs.diff_ids) {
            let layer = draft.add_tar(&mut self.layer(name)?)?;
            if layer.diff_id != *expected {
                return Err(Error::Mismatch {
                    what: format!("layer {name}"),
                    expected: expected.clone(),
                    found: layer.diff_id,
                });
            }
        }
        draft.commit(config, &described.names)
    }

    fn layer(&self, name: &str) -> Result<Box<dyn Read>, Error> {
        let mut magic = [0; 2];
        let count = self
            .open(name)?
            .read(&mut magic)
            .map_err(Error::io(format!("read {name}")))?;
        let file = BufReader::with_capacity(1 << 20, self.open(name)?);
        if magic[..count] == GZIP_MAGIC {
            return Ok(Box::new(GzDecoder::new(file)));
        }
        Ok(Box::new(file))
    }

    fn document<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let mut bytes = Vec::new();
        self.open(name)?
            .take(MAX_DOCUMENT)
            .read_to_end(&mut bytes)
            .map_err(Error::io(format!("read {name}")))?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Document {
            path: Path::new(name).to_owned(),
            source,
        })
    }

    /// Old docker archives link layers that images share, so links are followed, inside the archive.
    fn open(&self, name: &str) -> Result<File, Error> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let file = rustix::fs::openat2(&self.root, name, flags, Mode::empty(), resolve);
        file.map(File::from)
            .map_err(Error::io(format!("open {name} of the archive")))
    }
}

impl DockerImage {
    fn described(self) -> Result<Described, Error> {
        let names = self.repo_tags.unwrap_or_default();
        Ok(Described {
            names: names
                .iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()?,
            config: self.config,
            layers: self.layers,
        })
    }
}

fn blob_name(digest: &crate::Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
