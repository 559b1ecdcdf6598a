//! Every fault.

use super::fault::{Fault, OF_CONFIG};
use super::preparation as prepare;

/// All of them, in the order in which they are provoked.
pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "api-server-flag",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraArgs: {no-such-flag: \"1\"}}}']",
        cause: "kube-apiserver: it does not know the flag --no-such-flag",
        ..OF_CONFIG
    },
    Fault {
        id: "etcd-flag",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, etcd: {local: {extraArgs: {no-such-flag: \"1\"}}}}']",
        cause: "etcd: it does not know the flag -no-such-flag",
        ..OF_CONFIG
    },
    Fault {
        id: "kubelet-configuration",
        config: "kubeadmConfigPatches: ['{kind: KubeletConfiguration, maxPods: -1}']",
        cause: "kubelet: its configuration is wrong: maxPods",
        ..OF_CONFIG
    },
    Fault {
        id: "api-server-port-taken",
        config: "networking: {apiServerPort: 34567}",
        prepare: prepare::port_taken,
        cause: "34567",
        ..OF_CONFIG
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_has_a_name_and_a_cause() {
        let ids: BTreeSet<_> = FAULTS.iter().map(|fault| fault.id).collect();
        assert_eq!(ids.len(), FAULTS.len());
        assert!(FAULTS.iter().all(|fault| !fault.cause.is_empty()));
    }
}
