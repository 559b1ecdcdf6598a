//! Which images a store has, and under which names.

use std::collections::BTreeMap;
use std::fs;

use super::image::Image;
use super::layout::Store;
use crate::oci::{Descriptor, Index, REFERENCE_ANNOTATION};
use crate::{Digest, Error, Reference};

impl Store {
    /// The image of that name, `name@digest`, or image id or manifest digest (`sha256:…`).
    ///
    /// Short names are completed as [`Reference`] says. All layers of what is found are there, unpacked.
    pub fn find_image(&self, reference: &str) -> Result<Option<Image>, Error> {
        let found = self.look_up(reference)?;
        if let Some(image) = &found {
            self.restore_layers(image)?;
        }
        Ok(found)
    }

    fn look_up(&self, reference: &str) -> Result<Option<Image>, Error> {
        if let Ok(digest) = reference.parse::<Digest>() {
            let mut images = self.list_images()?;
            images.retain(|image| image.digest() == &digest || image.id() == &digest);
            return Ok(images.pop());
        }
        let reference: Reference = reference.parse()?;
        let _lock = self.lock_shared()?;
        let names = self.read_names()?;
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
    pub fn list_images(&self) -> Result<Vec<Image>, Error> {
        let _lock = self.lock_shared()?;
        let mut by_digest: BTreeMap<Digest, Vec<Reference>> = BTreeMap::new();
        for (name, digest) in self.read_names()? {
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
        let mut index = self.read_index()?;
        let path = self.blob_path(image.digest());
        let size = fs::metadata(&path)
            .map_err(Error::path("read", &path))?
            .len();
        set_name(&mut index, &reference, image.digest(), size);
        self.write_index(&index)
    }

    /// Removes a name, and with an image's last name the image and every layer no other image needs.
    ///
    /// Layers of an image that somebody holds ([`Store::hold_image`]) stay until it is released.
    pub fn remove_image(&self, reference: &str) -> Result<(), Error> {
        let image = self
            .look_up(reference)?
            .ok_or_else(|| Error::Missing(reference.to_owned()))?;
        let lock = self.lock()?;
        let mut index = self.read_index()?;
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

    fn read_names(&self) -> Result<Vec<(Reference, Digest)>, Error> {
        let mut names = Vec::new();
        for entry in self.read_index()?.manifests {
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
