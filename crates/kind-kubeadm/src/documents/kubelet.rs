//! The kubelet's document.

use kind_config::IpFamily;
use kind_config::version::Version;
use serde_json::{Value, json};

use super::gates::Gates;
use crate::{ClusterSettings, NodeFacts};

pub(crate) const KUBELET_API: &str = "kubelet.config.k8s.io/v1beta1";

/// KubeletConfiguration.
pub(super) fn kubelet_document(
    cluster: &ClusterSettings,
    facts: &NodeFacts,
    gates: &Gates,
) -> Value {
    let version = facts.version();
    let cgroup_driver = if *version < Version::new(1, 24, 0) {
        "cgroupfs"
    } else {
        "systemd"
    };
    let mut document = json!({
        "apiVersion": KUBELET_API,
        "kind": "KubeletConfiguration",
        "cgroupDriver": cgroup_driver,
        "cgroupRoot": "/kubelet",
        "failSwapOn": false,
        // The disk belongs to the host: a node must not evict pods or images because of it.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
    });
    if cluster.networking.ip_family == IpFamily::Ipv6 {
        document["address"] = "::".into();
        document["healthzBindAddress"] = "::".into();
    }
    if facts.cgroup_v1 && *version >= Version::new(1, 35, 0) {
        document["failCgroupV1"] = false.into();
    }
    gates.set_in_document(&mut document);
    document
}
