//! What nodes have after a load, and how that is said.

use kind_image::archive::PortableImage;
use serde::Serialize;

use crate::event::{Detail, Event, Listener, Verbosity};

/// An image that a node has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LoadedImage {
    /// The node.
    pub node: String,
    /// The image's id: digest of its configuration.
    pub id: String,
    /// What the node calls it.
    pub names: Vec<String>,
    /// What had to be done.
    pub outcome: LoadOutcome,
}

/// What had to be done so that a node has an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum LoadOutcome {
    /// It was sent, or what the node lacked of it.
    Loaded,
    /// It was there, and got names.
    Named,
    /// Nothing.
    Present,
}

impl LoadedImage {
    /// An image of an archive on a node.
    pub(super) fn new(image: &PortableImage, node: &str, outcome: LoadOutcome) -> Self {
        let names = image.names().iter();
        Self {
            node: node.to_owned(),
            id: image.id().to_string(),
            names: names.map(ToString::to_string).collect(),
            outcome,
        }
    }

    /// Says so.
    pub(super) fn tell(&self, listener: Listener<'_>) {
        let text = self.describe();
        let detail = Detail::new(Verbosity::Normal, text).of_node(&self.node);
        listener(Event::Detail(detail));
    }

    fn describe(&self) -> String {
        let (node, id) = (&self.node, &self.id);
        let names: Vec<_> = self.names.iter().map(|name| format!("{name:?}")).collect();
        let image = format!("Image: {} with ID {id:?}", names.join(", "));
        match self.outcome {
            LoadOutcome::Loaded => format!("{image} loaded into node {node:?}"),
            LoadOutcome::Named => format!("{image} was on node {node:?} under another name"),
            LoadOutcome::Present => format!("{image} already present on node {node:?}"),
        }
    }
}
