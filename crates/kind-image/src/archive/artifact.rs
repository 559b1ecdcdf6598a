//! Telling images from what lies beside them in a layout: signatures, lists of parts, statements on how an image
//! was built.
//!
//! The specification's guidelines for artifacts have the rules. Such a manifest has an `artifactType`, or a
//! configuration that is none of an image; it may name the image it is about as its `subject`. Attached to an image
//! in a layout it stands in `index.json` without a name, or in an index with the name `sha256-DIGEST`. Builders put
//! theirs into the image's own index, as a manifest of an unknown platform.

use serde::Deserialize;

use crate::bounded;
use crate::oci::{self, Descriptor, MAX_LAYERS};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIGS: [&str; 2] = [
    oci::CONFIG,
    "application/vnd.docker.container.image.v1+json",
];
const LAYER_PREFIXES: [&str; 2] = [
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
];

/// What a manifest or an index says about what it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kind {
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    config: Option<Typed>,
    #[serde(
        default,
        deserialize_with = "bounded::optional_list::<_, _, MAX_LAYERS>"
    )]
    layers: Option<Vec<Typed>>,
    #[serde(default)]
    manifests: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    #[serde(default)]
    media_type: String,
}

impl Kind {
    /// Whether a manifest is an image's.
    pub(super) fn is_image(&self) -> bool {
        let config = self.config.as_ref();
        let config = config.is_some_and(|config| CONFIGS.contains(&config.media_type.as_str()));
        // Some signatures are images by all but their layers.
        let mut layers = self.layers.iter().flatten();
        config && !self.is_artifact() && layers.all(|layer| is_layer(&layer.media_type))
    }

    /// Whether it can be read as an index and as a manifest, and mean another image to each reader.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.manifests.is_some() && (self.config.is_some() || self.layers.is_some())
    }

    /// Whether it says itself that it is an artifact's.
    pub(super) fn is_artifact(&self) -> bool {
        let kind = self.artifact_type.as_deref();
        kind.is_some_and(|kind| !kind.is_empty() && !CONFIGS.contains(&kind))
    }
}

fn is_layer(media_type: &str) -> bool {
    LAYER_PREFIXES
        .iter()
        .any(|prefix| media_type.starts_with(prefix))
}

/// Whether an entry of an index can lead to an image, as far as it tells itself.
pub(super) fn may_be_image(entry: &Descriptor) -> bool {
    let kinds = [
        oci::MANIFEST,
        DOCKER_MANIFEST,
        oci::INDEX,
        oci::DOCKER_INDEX,
    ];
    kinds.contains(&entry.media_type.as_str()) && !is_attestation(entry)
}

/// Whether an entry is a builder's statement about an image.
fn is_attestation(entry: &Descriptor) -> bool {
    entry.annotations.contains_key("vnd.docker.reference.type")
        || entry
            .platform
            .as_ref()
            .is_some_and(|platform| platform.os == "unknown")
}
