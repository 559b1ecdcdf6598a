//! kube-proxy's document.

use kind_config::KubeProxyMode;
use serde_json::{Value, json};

use super::gates::Gates;
use crate::{ClusterSettings, NodeFacts};

pub(crate) const KUBE_PROXY_API: &str = "kubeproxy.config.k8s.io/v1alpha1";

/// KubeProxyConfiguration.
pub(super) fn kube_proxy_document(
    cluster: &ClusterSettings,
    facts: &NodeFacts,
    gates: &Gates,
) -> Value {
    let mode = &cluster.networking.kube_proxy_mode;
    let mut document = json!({
        "apiVersion": KUBE_PROXY_API,
        "kind": "KubeProxyConfiguration",
        "mode": mode.as_str(),
        "iptables": { "minSyncPeriod": "1s" },
        // The limits are the host's, and a container may not write them.
        "conntrack": { "maxPerCore": 0 },
    });
    let conntrack = &mut document["conntrack"];
    if facts.rootless {
        conntrack["tcpEstablishedTimeout"] = "0s".into();
        conntrack["tcpCloseWaitTimeout"] = "0s".into();
    } else if *mode == KubeProxyMode::Nftables {
        conntrack["tcpBeLiberal"] = true.into();
    }
    gates.set_in_document(&mut document);
    document
}
