//! The table of signatures. The first that matches counts: what is particular stands before what is general.
//! Each has samples of real logs in `samples/ID.COMPONENT*.log`.

use crate::Signature;

const ENDED: Signature = Signature {
    id: "",
    components: &[],
    patterns: &[],
    except: &[],
    while_running: false,
    heals: false,
    found: "",
    expected: "",
    remedy: "",
};

const RUNNING: Signature = Signature {
    while_running: true,
    ..ENDED
};

/// How the API server says that it does not reach an etcd; before 1.23 in other words.
const ETCD_PATTERNS: &[&str] = &[
    "failed to connect to {Addr: \"{}\"{}Err: connection error: desc = {*}",
    "failed to connect to {{} {}Err :connection error: desc = {*}",
];

/// All of them.
pub(crate) const SIGNATURES: &[Signature] = &[
    Signature {
        id: "unknown-flag",
        patterns: &[
            "unknown flag: {}",
            "flag provided but not defined: {}",
            "unknown shorthand flag: {}",
        ],
        found: "it does not know the flag {1}",
        expected: "only flags that this version of Kubernetes has",
        remedy: "take {1} out of {settings} or write it as this version does",
        ..ENDED
    },
    Signature {
        id: "flag-value",
        patterns: &[
            "invalid argument {} for \"{}\" flag: {}",
            "invalid value {} for flag {}:",
        ],
        found: "{1} is no value for the flag {2}",
        expected: "a value of the flag's type",
        remedy: "correct {2} in {settings}",
        ..ENDED
    },
    Signature {
        id: "cgroup-v1",
        components: &["kubelet"],
        patterns: &["configured to not run on a host using cgroup v1"],
        found: "the host has cgroup v1, which this version of Kubernetes refuses",
        expected: "cgroup v2, or a kubelet that takes v1",
        remedy: "start the host's kernel with `systemd.unified_cgroup_hierarchy=1`, or set `failCgroupV1: false` in KubeletConfiguration",
        ..ENDED
    },
    Signature {
        id: "reserved-label",
        components: &["kubelet"],
        patterns: &[
            "unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [{}]",
            "--node-labels in the 'kubernetes.io' namespace",
        ],
        found: "a node may not give itself these labels of Kubernetes: {1}",
        expected: "labels outside of `kubernetes.io` and `k8s.io`, or of `node.kubernetes.io`",
        remedy: "name the label otherwise, or set it with `kubectl label node` once the cluster is there",
        ..ENDED
    },
    Signature {
        id: "port-in-use",
        patterns: &["listen tcp {}: bind: address already in use"],
        found: "the port of {1} in the node is taken",
        expected: "a port that nothing else in the node listens on",
        remedy: "give another port in {settings}, or take away what listens there; `ss -ltnp` in the node names it",
        ..ENDED
    },
    Signature {
        id: "not-configured-yet",
        components: &["kubelet"],
        patterns: &[
            "open /var/lib/kubelet/{}: no such file or directory",
            "stat /etc/kubernetes/{}: no such file or directory",
            "open /etc/kubernetes/{}: no such file or directory",
        ],
        heals: true,
        found: "it has no {1} yet, which kubeadm writes",
        expected: "what kubeadm writes before it starts the kubelet",
        remedy: "wait for kubeadm; if it has ended, its output says why",
        ..ENDED
    },
    Signature {
        id: "kubelet-configuration",
        components: &["kubelet"],
        patterns: &[
            "failed to load kubelet config file, path: {}, error: {}",
            "failed to validate kubelet configuration, error: {}, path:",
            "invalid configuration: {*}",
        ],
        found: "its configuration is wrong: {1}",
        expected: "a KubeletConfiguration of this version of Kubernetes",
        remedy: "correct `kubeadmConfigPatches` of kind KubeletConfiguration",
        ..ENDED
    },
    Signature {
        id: "missing-file",
        components: &["containerd", "etcd", "kube-apiserver", "kubelet"],
        patterns: &[
            "open {}: no such file or directory",
            "stat {}: no such file or directory",
        ],
        found: "it finds no file {1}",
        expected: "a file at that place in its container",
        remedy: "bring the file with `extraMounts` of the node and `extraVolumes` of the component, or correct its path in {settings}",
        ..ENDED
    },
    Signature {
        id: "admission-plugin",
        components: &["kube-apiserver"],
        patterns: &["admission-plugins plugin \"{}\" is unknown"],
        found: "it knows no admission plugin {1}",
        expected: "plugins that this version of Kubernetes has",
        remedy: "correct `enable-admission-plugins` and `disable-admission-plugins` in {settings}",
        ..ENDED
    },
    Signature {
        id: "no-cri",
        components: &["kubelet", "containerd", "kubeadm"],
        patterns: &[
            "unknown service runtime.{}.RuntimeService",
            "failed to load plugin\" error=\"{}\" id=io.containerd.grpc.v1.cri ",
        ],
        found: "containerd runs without its Kubernetes part, the CRI plugin",
        expected: "a containerd whose CRI plugin loads",
        remedy: "correct `containerdConfigPatches`; `journalctl -u containerd` in the node says what the plugin did not take",
        ..RUNNING
    },
    Signature {
        id: "control-plane-image",
        components: &["kubelet"],
        patterns: &[
            "for \\\"etcd\\\" with ErrImagePull: \\\"failed to pull and unpack image \\\\\\\"{}\\\\\\\"",
            "for \\\"kube-apiserver\\\" with ErrImagePull: \\\"failed to pull and unpack image \\\\\\\"{}\\\\\\\"",
            // Kubelets before 1.21 log without keys and values, and quote once less.
            r#"for "etcd" with ErrImagePull: "rpc error: code = Unknown desc = failed to pull and unpack image \"{}\""#,
            r#"for "etcd" with ErrImagePull: "rpc error: code = NotFound desc = failed to pull and unpack image \"{}\""#,
            r#"for "kube-apiserver" with ErrImagePull: "rpc error: code = Unknown desc = failed to pull and unpack image \"{}\""#,
            r#"for "kube-apiserver" with ErrImagePull: "rpc error: code = NotFound desc = failed to pull and unpack image \"{}\""#,
        ],
        found: "the image {1} of the control plane is not in the node and cannot be pulled",
        expected: "the images that the node image brings, or a registry that the node reaches",
        remedy: "correct `imageRepository` and `imageTag` in ClusterConfiguration, or make the registry reachable",
        ..RUNNING
    },
    Signature {
        id: "image-missing",
        components: &["kubelet"],
        heals: true,
        patterns: &[
            "\"Failed to pull image\" err=\"failed to pull and unpack image \\\"{}\\\"{}no such host",
            "\"Failed to pull image\" err=\"failed to pull and unpack image \\\"{}\\\"{}not found",
        ],
        found: "the image {1} is not in the node and cannot be pulled",
        expected: "an image that the node has or reaches",
        remedy: "correct the image's name, make its registry reachable, or bring it with `kind load`",
        ..RUNNING
    },
    Signature {
        id: "containerd-configuration",
        components: &["containerd"],
        patterns: &["containerd: failed to {*}"],
        found: "its configuration is wrong: failed to {1}",
        expected: "a configuration of this version of containerd",
        remedy: "correct {settings}",
        ..ENDED
    },
    Signature {
        id: "volume-missing",
        components: &["kubelet"],
        // A socket may be of a pod that starts beside it.
        patterns: &[
            "MountVolume.SetUp failed for volume \"{}\"{}pod \"etcd-{}\"{}hostPath type check failed: {} is not a file",
            "MountVolume.SetUp failed for volume \"{}\"{}pod \"etcd-{}\"{}hostPath type check failed: {} is not a directory",
            "MountVolume.SetUp failed for volume \"{}\"{}pod \"kube-apiserver-{}\"{}hostPath type check failed: {} is not a file",
            "MountVolume.SetUp failed for volume \"{}\"{}pod \"kube-apiserver-{}\"{}hostPath type check failed: {} is not a directory",
        ],
        found: "a pod of the control plane cannot start: its volume {1} is {5} of the node, which is not there or of another type",
        expected: "a file or directory of that type in the node",
        remedy: "bring it with `extraMounts` of the node, or correct `extraVolumes` of the component",
        ..RUNNING
    },
    Signature {
        id: "external-etcd",
        components: &["kube-apiserver"],
        // The cluster's own etcd is in the API server's node.
        except: &[
            "operation was canceled",
            "127.0.0.1:",
            "localhost:",
            "[::1]:",
        ],
        patterns: ETCD_PATTERNS,
        found: "it does not reach the etcd outside of the cluster at {1}: {3}",
        expected: "an etcd that answers before the cluster is made",
        remedy: "start it, or correct `etcd.external` in ClusterConfiguration: its endpoints must be addresses that nodes reach, and its certificate must be for them",
        ..RUNNING
    },
    Signature {
        id: "etcd-unreachable",
        components: &["kube-apiserver"],
        except: &["operation was canceled"],
        patterns: ETCD_PATTERNS,
        heals: true,
        found: "it does not reach etcd at {1}: {3}",
        expected: "an etcd that answers",
        remedy: "see why etcd does not run: its log is below /var/log/pods in the node",
        ..RUNNING
    },
];
