//! kubeadm's phases that are left out in every cluster of a configuration.

use kind_config::{AddOn, KubeProxyMode};

use crate::ClusterSettings;

/// Name of kubeadm's phase of host checks, most of which fail in any container.
const PREFLIGHT: &str = "preflight";
/// That of kube-proxy.
pub(crate) const KUBE_PROXY: &str = "addon/kube-proxy";
/// That of the cluster DNS.
pub(crate) const DNS: &str = "addon/coredns";
/// Phases that `kubeadm init` skips in every cluster of this configuration.
pub(crate) fn init_skip_phases(cluster: &ClusterSettings) -> Vec<String> {
    let mut phases = vec![PREFLIGHT.to_owned()];
    if cluster.networking.kube_proxy_mode == KubeProxyMode::None {
        phases.push(KUBE_PROXY.to_owned());
    }
    if cluster.add_ons.dns == AddOn::None {
        phases.push(DNS.to_owned());
    }
    phases
}

/// Phases that `kubeadm join` skips.
pub(crate) fn join_skip_phases() -> Vec<String> {
    vec![PREFLIGHT.to_owned()]
}
