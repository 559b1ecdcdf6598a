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

/// The version that an image's tag is, as tags of published node images are.
pub fn tagged_version(image: &str) -> Option<Version> {
    let name = image.split('@').next()?.rsplit('/').next()?;
    let (_, tag) = name.split_once(':')?;
    tag.starts_with('v').then(|| tag.parse().ok())?
}
