//! What is known of a node image without a node of it.

use kind_config::version_tag;
use kind_engine::Engine;

use crate::create::ImageFacts;
use crate::{Error, Result};

/// Label of images of our own making.
const VERSION_LABEL: &str = "io.x-k8s.kind.kubernetes-version";

/// What published images and ours say of their pod network, as far as it shows in a node's files.
const POD_NETWORK: &str = "name: kindnet\n";

/// The image's facts: the version that is given, that the engine's image tells, or that the image's
/// tag says. Nothing more of it shows in a node's files.
pub(super) fn read_image_facts(
    image: &str,
    given: Option<&str>,
    engine: Option<&dyn Engine>,
) -> Result<ImageFacts> {
    let present = engine.and_then(|engine| engine.image(image).ok().flatten());
    let label = present.and_then(|image| image.labels.get(VERSION_LABEL).cloned());
    let version = given
        .map(str::to_owned)
        .or(label)
        .or_else(|| version_tag(image).map(str::to_owned))
        .ok_or_else(|| Error::UnknownVersion(image.to_owned()))?;
    Ok(ImageFacts {
        version,
        packages: None,
        cni: Some(POD_NETWORK.to_owned()),
        dns: None,
        services: None,
        storage: None,
    })
}
