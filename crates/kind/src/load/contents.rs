//! Whether a node has all of an image that only its store on the host is known to hold, not what it is made of.

use kind_engine::Engine;
use kind_image::Digest;
use kind_image::oci::{ImageConfig, Manifest};
use serde::de::DeserializeOwned;

use super::inventory::Inventory;
use super::nodes::Target;
use crate::node::read_output;

/// Whether a node has the image of this id: its documents, and each layer unpacked or packed. A name alone may be all
/// that an import has left.
pub(super) fn has_whole_image(engine: &dyn Engine, target: &Target, id: &Digest) -> bool {
    let inventory = &target.inventory;
    let manifest = inventory.manifest(&id.to_string());
    let Some(manifest) = manifest.filter(|_| inventory.has_image(id)) else {
        return false;
    };
    let read = |digest: &Digest| Documents { engine, target }.read_blob(digest);
    let config = read(id).and_then(|text| parse::<ImageConfig>(&text));
    config.is_some_and(|config| {
        has_unpacked(inventory, &config)
            || read(manifest)
                .and_then(|text| parse::<Manifest>(&text))
                .is_some_and(|manifest| has_packed(inventory, &manifest))
    })
}

/// Documents in a node's store.
struct Documents<'a> {
    engine: &'a dyn Engine,
    target: &'a Target,
}

impl Documents<'_> {
    fn read_blob(&self, digest: &Digest) -> Option<String> {
        let digest = digest.to_string();
        let command = ["ctr", "--namespace=k8s.io", "content", "get", &digest];
        read_output(self.engine, &self.target.name, &command).ok()
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

fn has_unpacked(inventory: &Inventory, config: &ImageConfig) -> bool {
    let chain = config.rootfs.chain_ids();
    chain.last().is_none_or(|top| inventory.has_unpacked(top))
}

fn has_packed(inventory: &Inventory, manifest: &Manifest) -> bool {
    let mut layers = manifest.layers.iter();
    layers.all(|layer| inventory.has_blob(&layer.digest))
}
