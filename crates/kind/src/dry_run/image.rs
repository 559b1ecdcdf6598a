//! What is known of a node image without a node of it.

use kind_config::version::Version;
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
        .or_else(|| tagged_version(image))
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

/// The version that an image's tag is, as tags of published node images are.
fn tagged_version(image: &str) -> Option<String> {
    let (_, tag) = kind_image::friendly(image).rsplit_once(':')?;
    // A digit after the `v` keeps out what only looks like a version to a lenient reader.
    let looks = tag.starts_with('v') && tag.parse::<Version>().is_ok();
    looks.then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_published_images_are_versions() {
        for (image, version) in [
            ("kindest/node:v1.37.0@sha256:ab", Some("v1.37.0")),
            (
                "localhost:5000/node:v1.36.0-alpha.1",
                Some("v1.36.0-alpha.1"),
            ),
            ("kindest/node:latest", None),
            ("kindest/node", None),
            ("localhost:5000/node", None),
            ("kind.local/node:debian", None),
        ] {
            assert_eq!(tagged_version(image).as_deref(), version, "{image}");
        }
    }
}
