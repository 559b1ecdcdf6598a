//! What works for now, and will not for long.

use kind_config::version::Version;

use super::candidate::Candidate;
use super::level::Level;

/// As `kubeProxyMode: ipvs` of a cluster: kube-proxy warns of it since 1.37 (kubernetes/kubernetes#139067).
pub(super) fn leaving_because(candidate: &Candidate, level: &Level) -> Option<String> {
    let first = Version::new(1, 37, 0);
    let mut versions = level.versions.iter().flatten();
    let is_ipvs = candidate.target.kind == "KubeProxyConfiguration"
        && candidate.value(&["mode"])?.as_str() == Some("ipvs");
    (is_ipvs && versions.any(|version| *version >= first)).then(|| {
        "ipvs is deprecated since Kubernetes 1.37 and will be removed; write nftables".to_owned()
    })
}
