//! Every fault.

use super::engines;
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
        id: "scheduler-flag",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, scheduler: {extraArgs: {no-such-flag: \"1\"}}}']",
        cause: "kube-scheduler: it does not know the flag --no-such-flag",
        ..OF_CONFIG
    },
    Fault {
        id: "controller-manager-flag",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, controllerManager: {extraArgs: {no-such-flag: \"1\"}}}']",
        cause: "kube-controller-manager: it does not know the flag --no-such-flag",
        ..OF_CONFIG
    },
    Fault {
        id: "kubelet-flag",
        config: "kubeadmConfigPatches: ['{kind: InitConfiguration, nodeRegistration: {kubeletExtraArgs: {no-such-flag: \"1\"}}}']",
        cause: "kubelet: it does not know the flag --no-such-flag",
        ..OF_CONFIG
    },
    Fault {
        id: "kubelet-configuration",
        config: "kubeadmConfigPatches: ['{kind: KubeletConfiguration, maxPods: -1}']",
        cause: "kubelet: its configuration is wrong: maxPods",
        ..OF_CONFIG
    },
    Fault {
        id: "patch-no-json",
        config: "\
kubeadmConfigPatchesJSON6902:
- group: kubeadm.k8s.io
  version: v1beta2
  kind: ClusterConfiguration
  patch: '[{\"op\": \"add\", \"path\": \"/apiServer/extraArgs\", \"value\": ]'",
        cause: "failed to parse JSON 6902 patches",
        ..OF_CONFIG
    },
    Fault {
        id: "api-server-port-taken",
        config: "networking: {apiServerPort: 34567}",
        prepare: prepare::port_taken,
        cause: "34567",
        ..OF_CONFIG
    },
    Fault {
        id: "host-port-taken",
        config: "\
nodes:
- role: control-plane
  extraPortMappings: [{containerPort: 80, hostPort: 34567, listenAddress: 127.0.0.1}]",
        prepare: prepare::port_taken,
        cause: "34567",
        ..OF_CONFIG
    },
    Fault {
        id: "port-taken-in-node",
        config: "kubeadmConfigPatches: ['{kind: InitConfiguration, localAPIEndpoint: {bindPort: 10250}}']",
        cause: "10250 in the node is taken",
        ..OF_CONFIG
    },
    Fault {
        id: "reserved-label",
        config: "\
nodes:
- role: control-plane
- role: worker
  kubeadmConfigPatches:
  - '{kind: JoinConfiguration, nodeRegistration: {kubeletExtraArgs: {node-labels: node-role.kubernetes.io/a=b}}}'",
        cause: "a node may not give itself these labels of Kubernetes: node-role.kubernetes.io/a",
        ..OF_CONFIG
    },
    Fault {
        id: "containerd-without-cri",
        // Other reasons are known before the node starts.
        config: "containerdConfigPatches: ['plugins.\"io.containerd.grpc.v1.cri\".stream_idle_timeout = \"soon\"']",
        cause: "containerd runs without its Kubernetes part, the CRI plugin",
        ..OF_CONFIG
    },
    Fault {
        id: "containerd-patch-no-toml",
        config: "containerdConfigPatches: ['[plugins']",
        cause: "failed to parse TOML patch",
        ..OF_CONFIG
    },
    Fault {
        id: "containerd-value",
        config: "containerdConfigPatches: ['oom_score = \"low\"']",
        cause: "containerd: its configuration is wrong: ",
        ..OF_CONFIG
    },
    Fault {
        id: "kubeconfig-lock-left",
        prepare: prepare::kubeconfig_lock_left,
        cause: "config.lock",
        check: Some("kubeconfig-locks"),
        ..OF_CONFIG
    },
    Fault {
        id: "inotify-instances",
        prepare: prepare::no_inotify_instance,
        cause: "inotify",
        ..OF_CONFIG
    },
    Fault {
        id: "disk-full",
        prepare: prepare::full_disk,
        cause: " are free below ",
        engine: Some("native"),
        ..OF_CONFIG
    },
    Fault {
        id: "cgroup-controller",
        prepare: prepare::no_controller_of_processes,
        cause: "the kernel has no control of pids",
        check: Some("cgroup-controllers"),
        ..OF_CONFIG
    },
    Fault {
        id: "engine-gone",
        prepare: prepare::engine_gone,
        cause: "Cannot connect to the Docker daemon",
        engine: Some("docker"),
        ..OF_CONFIG
    },
    Fault {
        id: "control-plane-image",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, etcd: {local: {imageRepository: \"169.254.169.254:34567/nowhere\"}}}']",
        prepare: prepare::registry_without_images,
        cause: "of the control plane is not in the node and cannot be pulled",
        ..OF_CONFIG
    },
    Fault {
        id: "external-etcd",
        config: "\
kubeadmConfigPatches:
- |
  kind: ClusterConfiguration
  etcd:
    local: null
    external:
      endpoints: [\"https://192.0.2.1:2379\"]
      caFile: /etc/kubernetes/pki/ca.crt
      certFile: /etc/kubernetes/pki/apiserver-kubelet-client.crt
      keyFile: /etc/kubernetes/pki/apiserver-kubelet-client.key",
        cause: "it does not reach the etcd outside of the cluster at https://192.0.2.1:2379",
        ..OF_CONFIG
    },
    Fault {
        id: "engine-hangs",
        prepare: engines::daemon_hangs,
        cause: "docker does not answer: ",
        keeps_nodes: true,
        engine: Some("docker"),
        ..OF_CONFIG
    },
    Fault {
        id: "engine-killed",
        prepare: engines::daemon_dies,
        cause: "Cannot connect to the Docker daemon",
        keeps_nodes: true,
        engine: Some("docker"),
        ..OF_CONFIG
    },
    Fault {
        id: "client-sleeps",
        prepare: engines::client_sleeps,
        cause: "docker does not answer: ",
        engine: Some("docker"),
        ..OF_CONFIG
    },
    Fault {
        id: "network-overlap",
        config: "networking: {podSubnet: 172.18.0.0/16}",
        cause: "pods of the cluster would have 172.18.0.0/24",
        ..OF_CONFIG
    },
    Fault {
        id: "network-routed",
        prepare: engines::network_routed,
        cause: "this host routes 172.30.128.0/17 elsewhere",
        engine: Some("docker"),
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
