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
        id: "kubeconfig-disk-full",
        prepare: prepare::full_kubeconfig_disk,
        cause: "failed to write kubeconfig: write ",
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
        // Before 1.5 containerd knows mirrors only, and since then none beside a directory of hosts.
        config: "\
containerdConfigPatches:
- |
  [plugins.\"io.containerd.grpc.v1.cri\".registry]
  config_path = \"\"
  [plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"169.254.169.254:34567\"]
  endpoint = [\"http://169.254.169.254:34567\"]
kubeadmConfigPatches: ['{kind: ClusterConfiguration, etcd: {local: {imageRepository: \"169.254.169.254:34567/x\"}}}']",
        prepare: prepare::registry_without_images,
        cause: "of the control plane is not in the node, and its registry does not have it",
        ..OF_CONFIG
    },
    Fault {
        id: "control-plane-registry",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, etcd: {local: {imageRepository: \"169.254.169.254:34567/nowhere\"}}}']",
        prepare: prepare::registry_without_images,
        cause: "of the control plane is not in the node, and its registry cannot be asked",
        ..OF_CONFIG
    },
    Fault {
        id: "sandbox-image",
        config: "\
containerdConfigPatches:
- |
  [plugins.\"io.containerd.grpc.v1.cri\"]
  sandbox_image = \"169.254.169.254:34567/pause:1\"",
        prepare: prepare::registry_without_images,
        cause: "the image 169.254.169.254:34567/pause:1 that holds a pod together is not in the node, and its registry",
        ..OF_CONFIG
    },
    Fault {
        id: "admission-plugin",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraArgs: {enable-admission-plugins: \"NoSuch\"}}}']",
        cause: "kube-apiserver: it knows no admission plugin NoSuch",
        ..OF_CONFIG
    },
    Fault {
        id: "flag-value",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraArgs: {max-requests-inflight: \"many\"}}}']",
        cause: "is no value for the flag --max-requests-inflight",
        ..OF_CONFIG
    },
    Fault {
        id: "missing-file",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraArgs: {audit-policy-file: /nope.yaml}}}']",
        cause: "kube-apiserver: it finds no file /nope.yaml",
        ..OF_CONFIG
    },
    Fault {
        id: "volume-missing",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraVolumes: [{name: x, hostPath: /nope, mountPath: /x, pathType: File}]}}']",
        cause: "its volume x is /nope of the node",
        ..OF_CONFIG
    },
    Fault {
        id: "other-machine",
        config: "\
nodes:
- role: control-plane
  extraMounts: [{hostPath: DIRECTORY/foreign, containerPath: /foreign}]
kubeadmConfigPatches:
- |
  kind: ClusterConfiguration
  apiServer:
    extraVolumes:
    - {name: foreign, hostPath: /foreign, mountPath: /usr/local/bin/kube-apiserver, pathType: File}",
        prepare: prepare::program_of_another_machine,
        cause: "kube-apiserver: its program is for machines of another kind",
        ..OF_CONFIG
    },
    Fault {
        id: "disk-fills",
        prepare: prepare::disk_fills,
        cause: "the disk is full",
        varies: true,
        engine: Some("native"),
        ..OF_CONFIG
    },
    Fault {
        id: "etcd-disk-full",
        config: "\
nodes:
- role: control-plane
  extraMounts: [{hostPath: DIRECTORY/etcd, containerPath: /var/lib/etcd}]",
        prepare: prepare::small_etcd_disk,
        cause: "etcd: the disk is full",
        ..OF_CONFIG
    },
    Fault {
        id: "address-missing",
        config: "kubeadmConfigPatches: ['{kind: InitConfiguration, localAPIEndpoint: {advertiseAddress: 203.0.113.9}}']",
        cause: "etcd: the node has not got the address of 203.0.113.9:2380",
        ..OF_CONFIG
    },
    Fault {
        id: "etcd-elsewhere",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraArgs: {etcd-servers: \"https://127.0.0.1:2390\"}}}']",
        cause: "kube-apiserver: it does not reach etcd at https://127.0.0.1:2390",
        ..OF_CONFIG
    },
    Fault {
        id: "unknown-end",
        config: "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraArgs: {runtime-config: \"nosuch/v1=true\"}}}']",
        cause: "kube-apiserver: unknown api groups nosuch",
        ..OF_CONFIG
    },
    Fault {
        id: "cgroup-driver",
        config: "\
kubeadmConfigPatches: ['{kind: KubeletConfiguration, cgroupDriver: cgroupfs}']
containerdConfigPatches:
- |
  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]
  SystemdCgroup = true",
        cause: "kubelet: it and containerd do not name control groups alike",
        ..OF_CONFIG
    },
    Fault {
        id: "runtime-missing",
        config: "\
containerdConfigPatches:
- |
  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]
  runtime_type = \"io.containerd.nope.v1\"",
        cause: "containerd has no runtime that starts pods: containerd-shim-nope-v1 is not there",
        ..OF_CONFIG
    },
    Fault {
        id: "runtime-endpoint",
        config: "kubeadmConfigPatches: ['{kind: InitConfiguration, nodeRegistration: {kubeletExtraArgs: {container-runtime-endpoint: \"unix:///run/nope.sock\"}}}']",
        cause: "kubelet: it looks for containerd at /run/nope.sock, where it is not",
        ..OF_CONFIG
    },
    Fault {
        id: "read-only",
        config: "\
nodes:
- role: control-plane
  extraMounts: [{hostPath: DIRECTORY/tmp, containerPath: /var/lib/etcd, readOnly: true}]",
        cause: "etcd: it may not write where it must",
        ..OF_CONFIG
    },
    Fault {
        id: "certificates-expired",
        prepare: prepare::certificates_expired,
        cause: "has expired on 2021-01-01",
        keeps_nodes: true,
        ..OF_CONFIG
    },
    Fault {
        id: "clock-put-back",
        prepare: prepare::clock_put_back,
        cause: "is valid from 2090-01-01",
        keeps_nodes: true,
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
        varies: true,
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
