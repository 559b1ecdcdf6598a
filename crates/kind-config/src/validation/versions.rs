//! What depends on the Kubernetes version of a node, as far as the tag of its image tells it.

use crate::model::{Cluster, KubeProxyMode};
use crate::version::Version;

/// What the versions of the nodes make of the configuration.
pub(super) fn version_warnings(cluster: &Cluster) -> Vec<String> {
    ipvs_warning(cluster).into_iter().collect()
}

/// kube-proxy warns of ipvs since 1.37 (kubernetes/kubernetes#139067); it is off by default from 1.40 on, and gone
/// with 1.43 (kubernetes/kubernetes#139397).
fn ipvs_warning(cluster: &Cluster) -> Option<String> {
    let first = Version::new(1, 37, 0);
    let mut versions = cluster
        .nodes
        .iter()
        .filter_map(|node| tagged_version(&node.image));
    let is_leaving = cluster.networking.kube_proxy_mode == KubeProxyMode::Ipvs
        && versions.any(|version| version >= first);
    is_leaving.then(|| {
        "networking.kubeProxyMode: ipvs is deprecated since Kubernetes 1.37 and will be removed; write nftables"
            .to_owned()
    })
}

/// The oldest minor version of Kubernetes that a tag is believed to tell of, which kind's first images had.
const OLDEST: u64 = 11;

/// The version that an image's tag is, as tags of published node images are.
pub fn tagged_version(image: &str) -> Option<Version> {
    version_tag(image)?.parse().ok()
}

/// An image's tag, if it is a version as in tags of published node images. A tag that is no version of Kubernetes is the
/// image's own; what is in that one, the node tells.
pub fn version_tag(image: &str) -> Option<&str> {
    let name = image.split('@').next()?.rsplit('/').next()?;
    let (_, tag) = name.split_once(':')?;
    let version: Version = tag.strip_prefix('v').and(tag.parse().ok())?;
    (version.major() == 1 && version.minor() >= OLDEST).then_some(tag)
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
            ("kindest/node:1.36.1", None),
            // The images' own versions.
            ("registry.test:5000/kind-node:v1.0.3", None),
            ("registry.test:5000/kind-node:v2.4.0", None),
        ] {
            assert_eq!(version_tag(image), version, "{image}");
            let parsed = version.map(|text| text.parse().unwrap());
            assert_eq!(tagged_version(image), parsed, "{image}");
        }
    }
}
