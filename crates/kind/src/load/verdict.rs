//! What a node lacks of an image.

use std::collections::BTreeSet;

use kind_image::Digest;
use kind_image::archive::{ImageName, PortableImage};

use super::inventory::Inventory;

/// What is to be done about an image on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Present,
    /// It is there, but not under these names.
    Retag(Vec<String>),
    /// It is to be sent, or parts of it.
    Missing,
}

/// What is to be done about an image on a node.
pub(super) fn judge_image(image: &PortableImage, inventory: &Inventory) -> Verdict {
    if !inventory.has_image(image.id()) || !is_whole(image, inventory) {
        return Verdict::Missing;
    }
    let names = image.names().iter().filter_map(|name| match name {
        ImageName::Full(reference) => Some(reference.to_string()),
        // containerd makes up a name with the day in it for these.
        ImageName::Tag(_) => None,
    });
    let missing: Vec<_> = names
        .filter(|name| !inventory.is_called(image.id(), name))
        .collect();
    if missing.is_empty() {
        Verdict::Present
    } else {
        Verdict::Retag(missing)
    }
}

/// An import that failed leaves an image with a name but without its layers.
fn is_whole(image: &PortableImage, inventory: &Inventory) -> bool {
    image.layers().is_empty() || wanted_blobs(image, inventory).is_empty()
}

/// Digests of the layers that a node needs: those above what it has unpacked, and of these the ones that
/// it does not have packed.
pub(super) fn wanted_blobs(image: &PortableImage, inventory: &Inventory) -> BTreeSet<Digest> {
    let chain = image.chain_ids();
    let unpacked = chain.iter().rposition(|id| inventory.has_unpacked(id));
    let above = image
        .layers()
        .iter()
        .skip(unpacked.map_or(0, |top| top + 1));
    let missing = above.filter(|layer| !inventory.has_blob(layer.digest()));
    missing.map(|layer| layer.digest().clone()).collect()
}

/// Digests of all layers.
pub(super) fn all_blobs(image: &PortableImage) -> impl Iterator<Item = Digest> {
    image.layers().iter().map(|layer| layer.digest().clone())
}
