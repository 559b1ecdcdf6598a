//! What works but is probably not what was meant, as far as it depends on a node's image.

use kind_config::version::Version;
use kind_config::{KubeProxyMode, Networking, feature_gate_problem};

use crate::{ClusterSettings, NodeFacts};

/// What the Kubernetes version of a node makes of the cluster's network settings, as sentences for people.
pub fn warnings(networking: &Networking, facts: &NodeFacts) -> Vec<String> {
    /// The first release whose kube-proxy has the mode without a feature gate.
    const NFTABLES: (u64, u64) = (1, 31);
    let mode = &networking.kube_proxy_mode;
    if *mode == KubeProxyMode::Nftables
        && *facts.version() < Version::new(NFTABLES.0, NFTABLES.1, 0)
    {
        return vec![format!(
            "networking.kubeProxyMode nftables needs Kubernetes 1.31 or later, node {} has {}",
            facts.name,
            facts.kubernetes_version()
        )];
    }
    Vec::new()
}

/// Feature gates with which the components of a node do not start, as sentences for people.
pub fn gate_warnings(cluster: &ClusterSettings, facts: &NodeFacts) -> Vec<String> {
    let gates = cluster.feature_gates.iter();
    gates
        .filter_map(|(name, on)| {
            let problem = feature_gate_problem(name, *on, facts.version())?;
            Some(format!("featureGates.{name}: {problem}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use kind_config::Cluster;

    use super::*;

    #[test]
    fn a_mode_that_the_version_does_not_have() {
        let mut networking = Networking::default();
        networking.kube_proxy_mode = KubeProxyMode::Nftables;
        for (version, count) in [("v1.30.9", 1), ("v1.31.0", 0), ("v1.37.0", 0)] {
            let facts = NodeFacts::new("n", "docker", version).unwrap();
            assert_eq!(warnings(&networking, &facts).len(), count, "{version}");
            let default = Networking::default();
            assert!(warnings(&default, &facts).is_empty());
        }
    }

    #[test]
    fn feature_gates_of_an_image_without_a_version_in_its_name() {
        let mut cluster = Cluster::default().feature_gate("ImageVolume", true);
        cluster.set_defaults();
        let settings = ClusterSettings::new(&cluster).unwrap();
        for (version, count) in [("v1.30.9", 1), ("v1.31.0", 0)] {
            let facts = NodeFacts::new("n", "docker", version).unwrap();
            assert_eq!(gate_warnings(&settings, &facts).len(), count, "{version}");
        }
    }
}
