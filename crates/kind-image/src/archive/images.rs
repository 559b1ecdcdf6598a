//! The images that an archive's documents describe.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::compression::Compression;
use super::content::Blob;
use super::layout::blob_name;
use super::platform::{self, Candidate};
use super::portable::{Document, ImageName, PortableImage, PortableLayer};
use super::{Archive, artifact};
use crate::bounded::{self, List};
use crate::oci::{
    self, Descriptor, ImageConfig, Index, MAX_LAYERS, MAX_MANIFESTS, Manifest, Platform,
};
use crate::{Digest, Error, Reference};

/// JSON documents of an archive are read whole; real ones have a few kilobytes.
const MAX_DOCUMENT: u64 = 4 << 20;
/// Docker's list of images names every layer of each. That of three hundred images has less than a megabyte.
const MAX_DOCKER_LIST: u64 = 2 << 20;
/// How deep lists of manifests may stand in each other.
const MAX_DEPTH: usize = 4;
/// Bytes of documents that are kept of an archive with hundreds of images.
const MAX_KEPT: usize = 8 << 20;
/// Layers of all images of an archive, counted as often as it does.
const MAX_ALL_LAYERS: usize = 20_000;
/// Names of an image.
const MAX_NAMES: usize = 4096;

/// What is wrong with an archive whose lists are empty.
const LISTS_NONE: &str = "it lists no image";

/// An entry of a docker archive's `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(
        default,
        deserialize_with = "bounded::optional_list::<_, _, MAX_NAMES>"
    )]
    repo_tags: Option<Vec<String>>,
    #[serde(deserialize_with = "bounded::list::<_, _, MAX_LAYERS>")]
    layers: Vec<String>,
}

impl Archive {
    /// The images of the archive. Of an image for several platforms it is the one for `platform`; an
    /// image for one platform is given whatever that is.
    ///
    /// # Errors
    /// The archive is damaged, has no image, or one for several platforms, but not for this one.
    pub fn images(&self, platform: &Platform) -> Result<Vec<PortableImage>, Error> {
        let (index, docker) = (self.has_blob("index.json"), self.has_blob("manifest.json"));
        let tagged = if docker {
            let read = self.read_document_of("manifest.json", MAX_DOCKER_LIST);
            let list: List<DockerImage, MAX_MANIFESTS> = read?.0;
            list.0
        } else {
            Vec::new()
        };
        // Newer engines write both. The layout has the real manifests, by which images are pulled.
        if index {
            let index: Index = self.read_document("index.json")?.0;
            let images = self.images_of_layout(&index, &tagged, platform)?;
            if !images.is_empty() {
                return Ok(images);
            }
            if !docker && !index.manifests.is_empty() {
                let other = "it holds no image, but something else";
                return Err(Error::NotAnImage(other.to_owned()));
            }
        }
        if !docker {
            let missing = if index {
                LISTS_NONE
            } else {
                "it has neither `manifest.json` nor `index.json`"
            };
            return Err(Error::NotAnImage(missing.to_owned()));
        }
        if tagged.is_empty() {
            return Err(Error::NotAnImage(LISTS_NONE.to_owned()));
        }
        let mut kept = Kept::default();
        let images = tagged.iter().map(|image| {
            kept.count_layers(image.layers.len())?;
            let image = self.image_of_docker(image)?;
            kept.count_image(&image).map(|()| image)
        });
        Ok(with_last_names(images.collect::<Result<_, _>>()?))
    }

    fn images_of_layout(
        &self,
        index: &Index,
        tagged: &[DockerImage],
        platform: &Platform,
    ) -> Result<Vec<PortableImage>, Error> {
        let tagged = by_config(tagged);
        let mut images: Vec<PortableImage> = Vec::new();
        let mut places: HashMap<Digest, usize> = HashMap::new();
        let mut kept = Kept::default();
        for (name, entries) in group_images(index)? {
            let mut offer = Offer::default();
            // As in containerd, the last of several with one name counts.
            for entry in entries.into_iter().rev() {
                self.collect_offer(entry, MAX_DEPTH, &mut offer, &mut kept)?;
            }
            if offer.candidates.is_empty() && offer.others && !offer.absent {
                continue;
            }
            let chosen = platform::choose_platform(&offer.candidates, platform, name.as_ref())?;
            match places.get(&chosen.descriptor.digest) {
                Some(place) => images[*place].names.extend(name),
                None => {
                    places.insert(chosen.descriptor.digest.clone(), images.len());
                    let image = self.image_of_layout(chosen, name, &tagged)?;
                    kept.count_image(&image)?;
                    images.push(image);
                }
            }
        }
        Ok(with_last_names(images))
    }

    /// Adds what an entry of an index leads to and the archive holds.
    fn collect_offer(
        &self,
        entry: &Descriptor,
        depth: usize,
        offer: &mut Offer,
        kept: &mut Kept,
    ) -> Result<(), Error> {
        kept.count_look()?;
        if !artifact::may_be_image(entry) {
            offer.others = true;
            return Ok(());
        }
        if !self.has_blob(&blob_name(&entry.digest)) {
            offer.absent = true;
            return Ok(());
        }
        if depth == 0 {
            return Err(endless());
        }
        let (kind, _): (artifact::Kind, _) = self.read_verified(&entry.digest)?;
        if kind.is_ambiguous() && !kind.is_artifact() {
            let both = format!("{} is an index and a manifest at once", entry.digest);
            return Err(Error::NotAnImage(both));
        }
        if is_index(&entry.media_type) && !kind.is_artifact() {
            let index: Index = self.read_verified(&entry.digest)?.0;
            return index
                .manifests
                .iter()
                .try_for_each(|entry| self.collect_offer(entry, depth - 1, offer, kept));
        }
        if !kind.is_image() {
            offer.others = true;
            return Ok(());
        }
        let (manifest, document): (Manifest, _) = self.read_verified(&entry.digest)?;
        let platform = match &entry.platform {
            Some(platform) => platform.clone(),
            None => platform_of(&self.read_verified(&manifest.config.digest)?.0),
        };
        kept.count_bytes(document.bytes.len())?;
        kept.count_layers(manifest.layers.len())?;
        offer.candidates.push(Candidate {
            descriptor: entry.clone(),
            platform,
            manifest,
            document,
        });
        Ok(())
    }

    fn image_of_layout(
        &self,
        chosen: &Candidate,
        name: Option<ImageName>,
        tagged: &ByConfig<'_>,
    ) -> Result<PortableImage, Error> {
        let manifest = &chosen.manifest;
        let (parsed, config): (ImageConfig, _) = self.read_verified(&manifest.config.digest)?;
        let layers = manifest.layers.iter().map(|layer| {
            let name = blob_name(&layer.digest);
            Ok((name.clone(), layer.clone(), self.content.open_blob(&name)?))
        });
        let layers = layers.collect::<Result<Vec<_>, Error>>()?;
        let names = match name {
            Some(name) => vec![name],
            None => docker_names(tagged, &config.digest)?,
        };
        Ok(PortableImage {
            layers: with_diff_ids(layers, &parsed)?,
            names,
            manifest: chosen.document.clone(),
            config,
            parsed,
        })
    }

    fn image_of_docker(&self, image: &DockerImage) -> Result<PortableImage, Error> {
        let (parsed, config): (ImageConfig, _) = self.read_document(&image.config)?;
        if parsed.rootfs.diff_ids.len() != image.layers.len() {
            return Err(different_layers());
        }
        let mut layers = Vec::new();
        for (name, diff_id) in image.layers.iter().zip(&parsed.rootfs.diff_ids) {
            let blob = self.content.open_blob(name)?;
            layers.push((name.clone(), describe_layer(name, &blob, diff_id)?, blob));
        }
        let size = config.bytes.len() as u64;
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(oci::MANIFEST.to_owned()),
            config: Descriptor::new(oci::CONFIG, config.digest.clone(), size),
            layers: layers.iter().map(|(_, layer, _)| layer.clone()).collect(),
        };
        let manifest = serde_json::to_vec(&manifest).expect("a manifest is plain data");
        Ok(PortableImage {
            names: names_of(image)?,
            manifest: Document::new(manifest),
            layers: with_diff_ids(layers, &parsed)?,
            config,
            parsed,
        })
    }

    fn has_blob(&self, name: &str) -> bool {
        self.content.open_blob(name).is_ok()
    }

    /// A document by its digest, which is checked.
    fn read_verified<T: DeserializeOwned>(&self, digest: &Digest) -> Result<(T, Document), Error> {
        let name = blob_name(digest);
        let (parsed, document) = self.read_document(&name)?;
        if document.digest != *digest {
            return Err(Error::Mismatch {
                what: name,
                expected: digest.clone(),
                found: document.digest,
            });
        }
        Ok((parsed, document))
    }

    fn read_document<T: DeserializeOwned>(&self, name: &str) -> Result<(T, Document), Error> {
        self.read_document_of(name, MAX_DOCUMENT)
    }

    /// A document of at most `limit` bytes.
    fn read_document_of<T: DeserializeOwned>(
        &self,
        name: &str,
        limit: u64,
    ) -> Result<(T, Document), Error> {
        let blob = self.content.open_blob(name)?;
        if blob.size() > limit {
            return Err(Error::NotAnImage(format!(
                "{name} is no document of an image"
            )));
        }
        let mut bytes = Vec::new();
        blob.reader()
            .read_to_end(&mut bytes)
            .map_err(Error::io(format!("read {name}")))?;
        let parsed = serde_json::from_slice(&bytes).map_err(|source| Error::Document {
            path: Path::new(name).to_owned(),
            source,
        })?;
        Ok((parsed, Document::new(bytes)))
    }
}

/// What the entries of one name lead to.
#[derive(Debug, Default)]
struct Offer {
    candidates: Vec<Candidate>,
    /// There is something that is no image.
    others: bool,
    /// There may have been an image: the archive does not hold all that is listed.
    absent: bool,
}

/// What was looked at and is kept of an archive, all of its images together.
#[derive(Debug, Default)]
struct Kept {
    looks: usize,
    bytes: usize,
    layers: usize,
}

impl Kept {
    fn count_look(&mut self) -> Result<(), Error> {
        self.looks += 1;
        check_bound(self.looks, MAX_MANIFESTS)
    }

    fn count_bytes(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes += bytes;
        check_bound(self.bytes, MAX_KEPT)
    }

    fn count_layers(&mut self, layers: usize) -> Result<(), Error> {
        self.layers += layers;
        check_bound(self.layers, MAX_ALL_LAYERS)
    }

    fn count_image(&mut self, image: &PortableImage) -> Result<(), Error> {
        self.count_bytes(image.manifest.bytes.len() + image.config.bytes.len())
    }
}

fn check_bound(count: usize, most: usize) -> Result<(), Error> {
    if count > most { Err(endless()) } else { Ok(()) }
}

fn endless() -> Error {
    Error::NotAnImage("its lists of manifests have no end".to_owned())
}

type Grouped<'a> = Vec<(Option<ImageName>, Vec<&'a Descriptor>)>;

/// The entries of an index by their names: an image for several platforms may have an entry for each.
fn group_images(index: &Index) -> Result<Grouped<'_>, Error> {
    let mut groups: Grouped<'_> = Vec::new();
    let mut places: HashMap<ImageName, usize> = HashMap::new();
    for entry in &index.manifests {
        let name = name_of(entry)?;
        let known = name.as_ref().and_then(|name| places.get(name));
        if let Some(place) = known {
            groups[*place].1.push(entry);
            continue;
        }
        if let Some(name) = &name {
            places.insert(name.clone(), groups.len());
        }
        groups.push((name, vec![entry]));
    }
    Ok(groups)
}

/// What an entry of a layout calls its image. `podman save` calls one by its id that it was told by that: this is no
/// name.
fn name_of(entry: &Descriptor) -> Result<Option<ImageName>, Error> {
    let find = |annotation: &str| {
        let name = entry.annotations.get(annotation);
        name.filter(|name| name.parse::<Digest>().is_err())
    };
    if let Some(name) = find(oci::CONTAINERD_NAME_ANNOTATION) {
        return Ok(Some(ImageName::Full(name.parse()?)));
    }
    Ok(match find(oci::REFERENCE_ANNOTATION) {
        Some(name) if name.contains(['/', ':', '@']) => Some(ImageName::Full(name.parse()?)),
        Some(tag) if !tag.is_empty() => Some(ImageName::Tag(tag.clone())),
        _ => None,
    })
}

fn names_of(image: &DockerImage) -> Result<Vec<ImageName>, Error> {
    let tags = image.repo_tags.iter().flatten();
    let names = tags.map(|tag| tag.parse::<Reference>().map(ImageName::Full));
    names.collect()
}

/// Leaves each name to the last image that has it, and out what has no name any more.
fn with_last_names(images: Vec<PortableImage>) -> Vec<PortableImage> {
    let mut taken = BTreeSet::new();
    let mut kept = Vec::new();
    for mut image in images.into_iter().rev() {
        let nameless = image.names.is_empty();
        image.names.retain(|name| taken.insert(name.clone()));
        if nameless || !image.names.is_empty() {
            kept.push(image);
        }
    }
    kept.reverse();
    kept
}

/// Docker's entries of images by where their configurations are.
type ByConfig<'a> = HashMap<&'a str, &'a DockerImage>;

fn by_config(tagged: &[DockerImage]) -> ByConfig<'_> {
    let mut images = HashMap::new();
    for image in tagged {
        images.entry(image.config.as_str()).or_insert(image);
    }
    images
}

/// The names that docker's part of the archive has for an image.
fn docker_names(tagged: &ByConfig<'_>, id: &Digest) -> Result<Vec<ImageName>, Error> {
    let found = tagged.get(blob_name(id).as_str());
    found.map_or(Ok(Vec::new()), |image| names_of(image))
}

/// A docker archive does not tell the digests of its layers. That of a plain one is in the image's
/// configuration.
fn describe_layer(name: &str, blob: &Blob, diff_id: &Digest) -> Result<Descriptor, Error> {
    let failed = || format!("read {name} of the archive");
    let compression = Compression::of_magic(blob.magic().map_err(Error::io(failed()))?)?;
    let kind = match compression {
        Compression::None => return Ok(Descriptor::new(oci::LAYER, diff_id.clone(), blob.size())),
        Compression::Gzip => "+gzip",
        Compression::Zstd => "+zstd",
    };
    let (digest, size) = Digest::of_reader(&mut blob.reader()).map_err(Error::io(failed()))?;
    Ok(Descriptor::new(
        &format!("{}{kind}", oci::LAYER),
        digest,
        size,
    ))
}

fn with_diff_ids(
    layers: Vec<(String, Descriptor, Blob)>,
    config: &ImageConfig,
) -> Result<Vec<PortableLayer>, Error> {
    let diff_ids = &config.rootfs.diff_ids;
    if diff_ids.len() != layers.len() {
        return Err(different_layers());
    }
    let layers = layers.into_iter().zip(diff_ids);
    Ok(layers
        .map(|((name, descriptor, blob), diff_id)| PortableLayer {
            name,
            descriptor,
            diff_id: diff_id.clone(),
            blob,
        })
        .collect())
}

fn different_layers() -> Error {
    let text = "its configuration and its manifest list different layers";
    Error::NotAnImage(text.to_owned())
}

fn is_index(media_type: &str) -> bool {
    media_type == oci::INDEX || media_type == oci::DOCKER_INDEX
}

fn platform_of(config: &ImageConfig) -> Platform {
    Platform::new(&config.os, &config.architecture)
}
