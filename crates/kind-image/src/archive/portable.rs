//! Images on their way from one place to another.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;

use super::content::Blob;
use super::layout::Layout;
use super::verified::Verified;
use crate::oci::{
    self, CONTAINERD_NAME_ANNOTATION, Descriptor, ImageConfig, Index, REFERENCE_ANNOTATION,
};
use crate::{Digest, Error, Reference};

/// An image of one platform: its documents, and where its layers can be read.
#[derive(Debug, Clone)]
pub struct PortableImage {
    pub(super) names: Vec<ImageName>,
    pub(super) manifest: Document,
    pub(super) config: Document,
    pub(super) parsed: ImageConfig,
    pub(super) layers: Vec<PortableLayer>,
}

/// A layer of a [`PortableImage`].
#[derive(Debug, Clone)]
pub struct PortableLayer {
    pub(super) name: String,
    pub(super) descriptor: Descriptor,
    pub(super) diff_id: Digest,
    pub(super) blob: Blob,
}

/// How an archive calls an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageName {
    /// Its full name.
    Full(Reference),
    /// A tag without a repository, as some tools write it.
    Tag(String),
}

/// A document as it was written: its digest is that of these bytes.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
}

impl Document {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(reference) => reference.fmt(formatter),
            Self::Tag(tag) => tag.fmt(formatter),
        }
    }
}

impl PortableImage {
    /// What the archive calls it; there may be no name.
    pub fn names(&self) -> &[ImageName] {
        &self.names
    }

    /// Image id: digest of the configuration.
    pub fn id(&self) -> &Digest {
        &self.config.digest
    }

    /// Digest of the manifest.
    pub fn digest(&self) -> &Digest {
        &self.manifest.digest
    }

    /// Its configuration.
    pub fn document(&self) -> &ImageConfig {
        &self.parsed
    }

    /// Its layers, the lowest first.
    pub fn layers(&self) -> &[PortableLayer] {
        &self.layers
    }

    /// The same image under one more name.
    #[must_use]
    pub fn named(&self, name: Reference) -> Self {
        let mut image = self.clone();
        image.names.push(ImageName::Full(name));
        image
    }

    /// The same image with full names only. A tag without a repository is none, and an image without any other name is
    /// called after its id: containerd would make up names with the day in them.
    #[must_use]
    pub fn with_full_names(mut self) -> Self {
        self.names.retain(|name| matches!(name, ImageName::Full(_)));
        if self.names.is_empty() {
            self.names.push(ImageName::Full(name_of_id(self.id())));
        }
        self
    }

    /// What containerd calls the unpacked layers: the digest of each with everything below it.
    pub fn chain_ids(&self) -> Vec<Digest> {
        oci::chain_ids(self.layers.iter().map(|layer| &layer.diff_id))
    }
}

impl PortableLayer {
    /// Digest of its blob.
    pub fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }

    /// Bytes of its blob.
    pub fn size(&self) -> u64 {
        self.blob.size()
    }
}

/// What an image of this id is called that has no name of its own.
fn name_of_id(id: &Digest) -> Reference {
    let (digits, _) = id.hex().split_at(SHORT_ID);
    let name = format!("localhost/loaded:{digits}").parse();
    name.expect("digits are a tag")
}

/// Digits of an id that engines show.
const SHORT_ID: usize = 12;

/// Writes images as a tarred OCI layout that holds, of their layers, only the blobs in `wanted`.
///
/// containerd takes such a layout if it has the other layers already, as blobs or unpacked. It would take damaged layers
/// too, and then lack them; here they end the archive in its middle.
pub fn write_partial(
    images: &[&PortableImage],
    wanted: &BTreeSet<Digest>,
    out: impl Write,
) -> Result<(), Error> {
    let mut layout = Layout::begin_layout(out, &image_index(images))?;
    for image in images {
        for document in [&image.manifest, &image.config] {
            let bytes = &document.bytes[..];
            if layout.wants_blob(&document.digest) {
                layout.write_blob(&document.digest, bytes.len() as u64, bytes)?;
            }
        }
        for layer in &image.layers {
            if wanted.contains(layer.digest()) && layout.wants_blob(layer.digest()) {
                let (digest, size) = (layer.digest(), layer.size());
                let mut content = Verified::new(layer.blob.reader(), size, digest);
                let written = layout.write_blob(digest, size, &mut content);
                written.map_err(|error| content.explain(&layer.name, error))?;
            }
        }
    }
    layout.finish()
}

/// An entry for each name, or one without a name.
fn image_index(images: &[&PortableImage]) -> Index {
    let mut index = Index::default();
    for image in images {
        let size = image.manifest.bytes.len() as u64;
        let entry = Descriptor::new(oci::MANIFEST, image.digest().clone(), size);
        for name in &image.names {
            let mut entry = entry.clone();
            let key = match name {
                ImageName::Full(_) => CONTAINERD_NAME_ANNOTATION,
                ImageName::Tag(_) => REFERENCE_ANNOTATION,
            };
            entry.annotations.insert(key.to_owned(), name.to_string());
            index.manifests.push(entry);
        }
        if image.names.is_empty() {
            index.manifests.push(entry);
        }
    }
    index
}
