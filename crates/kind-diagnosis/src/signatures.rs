//! The table of signatures. The first that matches counts: what is particular stands before what is general.
//! Each has samples of real logs in `samples/ID.COMPONENT*.log`.

use crate::Signature;

const ENDED: Signature = Signature {
    id: "",
    components: &[],
    patterns: &[],
    only: &[],
    except: &[],
    while_running: false,
    is_certain: false,
    heals: false,
    found: "",
    expected: "",
    remedy: "",
};

const RUNNING: Signature = Signature {
    while_running: true,
    ..ENDED
};

/// What makes certificates of a node anew; `kubeadm certs renew` leaves out the kubelet's, without which nothing starts.
pub const RENEW_CERTIFICATES: &str = "in every control plane `kubeadm certs renew all --config /kind/kubeadm.conf && rm /etc/kubernetes/kubelet.conf && \
     kubeadm init phase kubeconfig kubelet --config /kind/kubeadm.conf`; for every worker put what `kubeadm kubeconfig user --config \
     /kind/kubeadm.conf --org system:nodes --client-name system:node:WORKER` prints there into its /etc/kubernetes/kubelet.conf; then \
     `kind stop cluster`, `kind start cluster` and `kind export kubeconfig`";

/// Who shows or is shown a certificate of the cluster. Clients with kubeconfigs of former days, webhooks, aggregated APIs
/// and registries have certificates too.
const CLUSTER_CERTIFICATES: Signature = Signature {
    components: &[
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kubeadm",
    ],
    only: &[&[
        "failed to connect to {",
        "rejected connection",
        ":6443/api",
        "existing bootstrap client certificate",
    ]],
    except: &[
        "Unable to authenticate the request",
        "webhook",
        "failing or missing response from",
    ],
    is_certain: true,
    ..RUNNING
};

/// How the API server says that it does not reach an etcd; before 1.23 in other words.
const ETCD_PATTERNS: &[&str] = &[
    "failed to connect to {Addr: \"{}\"{}Err: connection error: desc = {*}",
    "failed to connect to {{} {}Err :connection error: desc = {*}",
];

/// How an API server says that it does not want a connection any more that it has begun.
const GIVEN_UP: &[&str] = &["operation was canceled", "context canceled"];

const SANDBOX_PULLS: &[&str] = &["failed to get sandbox image {}\"{}"];

const SANDBOX: Signature = Signature {
    expected: "the `sandbox_image` (in containerd 2 `pinned_images`) that the node image brings",
    remedy: "take it out of `containerdConfigPatches`, or name one that the node has or reaches",
    ..RUNNING
};

/// How a kubelet names pods of the control plane and of what comes with it; those before 1.21 in other words.
const SYSTEM_PODS: &[&str] = &["pod=\"kube-system/", "_kube-system("];

/// How containerd says that a runtime's program is not there. That it does not find what the program has written says
/// nothing: one that was killed or could not be started this time has written nothing either.
const RUNTIME_GONE: &[&str] = &[
    "binary not installed {}\"{}",
    "log.json: no such file or directory): {}fork/exec {}: no such file or directory",
    "log.json: no such file or directory): exec: {}\"{}",
];

/// How a kubelet names the pods without which nothing starts. Others may have containers and names like theirs, but not
/// their node's name at the end.
const FIRST_PODS: &[&str] = &[
    "pod=\"kube-system/etcd-",
    "pod=\"kube-system/kube-apiserver-",
    "_kube-system(",
];
const OF_A_CONTROL_PLANE: &[&str] = &["-control-plane"];

/// How a kubelet says that it does not get an image of a component without which nothing starts. Those before 1.21
/// log without keys and values, and quote once less.
const CONTROL_PLANE_PULLS: &[&str] = &[
    r#"for \"etcd\" with ErrImagePull: \"{}failed to pull and unpack image \\\"{}\\\""#,
    r#"for \"kube-apiserver\" with ErrImagePull: \"{}failed to pull and unpack image \\\"{}\\\""#,
    r#"for "etcd" with ErrImagePull: "{}failed to pull and unpack image \"{}\""#,
    r#"for "kube-apiserver" with ErrImagePull: "{}failed to pull and unpack image \"{}\""#,
];

/// All of them.
pub(crate) const SIGNATURES: &[Signature] = &[
    Signature {
        id: "other-machine",
        patterns: &[
            "exec {}: exec format error",
            "Failed at step EXEC spawning {}: Exec format error",
            "exec user process caused{}: exec format error",
            "Exec format error",
            // What a shell says that was given it as a script.
            ": 1: {}ELF",
        ],
        found: "its program is for machines of another kind than this node: the kernel cannot execute it",
        expected: "an image for the machine's architecture",
        remedy: "take an image that is built for the node's architecture (`uname -m` in the node): correct `imageRepository` and `imageTag`, or the node image",
        ..ENDED
    },
    Signature {
        id: "certificate-expired",
        patterns: &[
            "certificate has expired or is not yet valid: current time {} is after {}",
            // Kubelets before 1.21 do not say where it is.
            "existing bootstrap client certificate{} is expired: {}",
        ],
        found: "a certificate that it was shown or shows has expired on {2}",
        expected: "certificates that are valid now",
        remedy: RENEW_CERTIFICATES,
        ..CLUSTER_CERTIFICATES
    },
    Signature {
        id: "certificate-not-yet-valid",
        patterns: &["certificate has expired or is not yet valid: current time {} is before {}"],
        found: "a certificate is valid from {2} on, and its clock shows {1}",
        expected: "a clock that is not behind that of whoever made the certificates",
        remedy: "set the clock of the machine that nodes run on; if it was put back, wait or make the cluster anew",
        ..CLUSTER_CERTIFICATES
    },
    Signature {
        id: "cgroup-controller",
        components: &["kubelet"],
        patterns: &[
            "ollowing Cgroup subsystem not mounted: [{}]",
            "Failed to find subsystem mount for required subsystem: {}",
        ],
        found: "its node has no cgroup controller {1}",
        expected: "the controllers cpu, cpuset, memory and pids",
        remedy: "start the host's kernel without `cgroup_disable`, and for memory with `cgroup_enable=memory` where it is off by default; `kind doctor` says which there are",
        ..RUNNING
    },
    Signature {
        id: "root-device",
        components: &["kubelet"],
        patterns: &["failed to get rootfs info: {*}"],
        found: "it does not find the device that its node is on: {1}",
        expected: "the block device of the engine's filesystem in the node, as btrfs, zfs and encrypted disks need it",
        remedy: "mount the device by `extraMounts` of the node, for example `/dev/mapper`, or set `localStorageCapacityIsolation: false` in KubeletConfiguration",
        ..RUNNING
    },
    Signature {
        id: "swap",
        components: &["kubelet"],
        patterns: &["unning with swap on is not supported"],
        found: "the host has swap, and its configuration refuses that",
        expected: "`failSwapOn: false`, which kind sets, or a host without swap",
        remedy: "take `failSwapOn` out of `kubeadmConfigPatches`, or `sudo swapoff -a` on the host",
        ..ENDED
    },
    Signature {
        id: "overlay",
        components: &["kubelet", "containerd"],
        patterns: &["failed to mount rootfs component{}: invalid argument"],
        found: "layers of images cannot be mounted: the engine's filesystem bears no overlayfs above it",
        expected: "a filesystem like ext4 or xfs below the engine, or a snapshotter that does without overlayfs",
        remedy: "set `snapshotter = \"native\"` (or fuse-overlayfs) by `containerdConfigPatches`, or move the engine's directory to another filesystem",
        ..RUNNING
    },
    Signature {
        id: "inotify-watches",
        patterns: &["inotify{}no space left on device"],
        found: "it can watch no more files: the user's limit of inotify's watches is reached",
        expected: "as many watches as all clusters of the host take",
        remedy: "`kind doctor --fix`, or `sysctl fs.inotify.max_user_watches=524288` on the engine's host",
        ..RUNNING
    },
    Signature {
        id: "inotify-instances",
        patterns: &[
            "inotify{}too many open files",
            "fsnotify{}too many open files",
        ],
        found: "it can make no instance of inotify: the user's limit is reached",
        expected: "as many instances as all clusters of the host take",
        remedy: "`kind doctor --fix`, or `sysctl fs.inotify.max_user_instances=512` on the engine's host",
        ..RUNNING
    },
    Signature {
        id: "disk-full",
        except: &["cgroup"],
        patterns: &["no space left on device"],
        found: "the disk is full",
        expected: "space for what nodes write",
        remedy: "free some where the engine keeps nodes (`kind prune`, and what the engine has for it; `kind doctor` says how much there is), or on the disk of the `extraMounts` that it writes to",
        ..RUNNING
    },
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
        id: "address-missing",
        patterns: &["listen tcp {}: bind: cannot assign requested address"],
        found: "the node has not got the address of {1}",
        expected: "an address of the node, or 0.0.0.0 for all that it has",
        remedy: "take `advertiseAddress`, `bind-address` and the like out of `kubeadmConfigPatches`: kind sets the node's own",
        ..ENDED
    },
    Signature {
        id: "read-only",
        patterns: &["read-only file system"],
        found: "it may not write where it must: the file system is read-only",
        expected: "files that can be written",
        remedy: "take `readOnly: true` off the `extraMounts` and `extraVolumes` that it writes to",
        ..ENDED
    },
    Signature {
        id: "cgroup-driver",
        components: &["kubelet"],
        patterns: &["expected cgroupsPath to be of format {} for systemd cgroups"],
        is_certain: true,
        found: "it and containerd do not name control groups alike, so that no pod starts",
        expected: "one driver of control groups for both",
        remedy: "take `cgroupDriver` out of `kubeadmConfigPatches` and `SystemdCgroup` out of `containerdConfigPatches`: the node image sets both",
        ..RUNNING
    },
    Signature {
        id: "runtime-endpoint",
        components: &["kubelet"],
        except: &["/run/containerd/containerd.sock"],
        patterns: &["dial unix {}: connect: no such file or directory"],
        is_certain: true,
        found: "it looks for containerd at {1}, where it is not",
        expected: "the socket /run/containerd/containerd.sock",
        remedy: "take `containerRuntimeEndpoint` and `container-runtime-endpoint` out of `kubeadmConfigPatches`",
        ..ENDED
    },
    Signature {
        id: "resolv-conf",
        components: &["kubelet"],
        patterns: &[
            r#""Could not open resolv conf file." err="open {}: no such file or directory""#,
            // What else is opened for a pod is told in containerd's words.
            r#""CreatePodSandbox for pod failed" err="open {}: no such file or directory""#,
        ],
        is_certain: true,
        found: "it starts no pod: its `resolvConf` is {1}, which the node does not have",
        expected: "a file of the node, as /etc/resolv.conf",
        remedy: "take `resolvConf` out of KubeletConfiguration (and `resolv-conf` out of `kubeletExtraArgs`), or name a file of the node",
        ..RUNNING
    },
    Signature {
        id: "static-pod-path",
        components: &["kubelet"],
        except: &["/etc/kubernetes/manifests\""],
        patterns: &[
            r#""Unable to read config path" err="path does not exist, ignoring" path="{}""#,
            r#"Unable to read config path "{}": path does not exist, ignoring"#,
        ],
        is_certain: true,
        found: "it starts no control plane: it looks for static pods in {1}, which the node does not have",
        expected: "the directory /etc/kubernetes/manifests, to which kubeadm writes them",
        remedy: "take `staticPodPath` out of KubeletConfiguration and `pod-manifest-path` out of `kubeletExtraArgs`",
        ..RUNNING
    },
    Signature {
        id: "runtime-missing",
        components: &["kubelet"],
        patterns: RUNTIME_GONE,
        // Others may ask for a runtime of their own.
        only: &[SYSTEM_PODS],
        is_certain: true,
        found: "containerd has no runtime that starts pods: {2} is not there",
        expected: "a runtime whose program the node has",
        remedy: "correct `default_runtime_name` and the `runtimes` in `containerdConfigPatches`, and mount nothing over a runtime's program",
        ..RUNNING
    },
    Signature {
        id: "runtime-class",
        components: &["kubelet"],
        heals: true,
        patterns: &["no runtime for {}\"{} is configured"],
        found: "a pod asks for the runtime {2}, which containerd does not have",
        expected: "a runtime of containerd for the handler of each RuntimeClass",
        remedy: "add it to the `runtimes` in `containerdConfigPatches`, or correct `handler` of the pod's RuntimeClass",
        ..RUNNING
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
            "Failed to start ContainerManager: invalid Node Allocatable configuration. {*}",
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
        id: "audit-policy",
        components: &["kube-apiserver"],
        patterns: &["loading audit policy file: {*}"],
        is_certain: true,
        found: "it does not take its audit policy: {1}",
        expected: "a file with a Policy of audit.k8s.io/v1",
        remedy: "correct the file that `audit-policy-file` in {settings} names",
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
        id: "controller-failed",
        components: &["kube-controller-manager"],
        patterns: &[
            "Error initializing a controller: {*}",
            "Error building controllers: {*}",
            "Error starting controllers: {*}",
        ],
        found: "one of its controllers does not start: {1}",
        expected: "controllers that start with what it is given",
        remedy: "correct {settings}, and `networking` of the cluster where it names addresses (each node gets a part of `podSubnet` of the size of `node-cidr-mask-size`)",
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
        id: "sandbox-image",
        components: &["kubelet"],
        patterns: SANDBOX_PULLS,
        only: &[&[
            ": not found",
            "manifest unknown",
            "pull access denied",
            "authorization failed",
            "401 Unauthorized",
            "403 Forbidden",
            "no such host",
            "server gave HTTP response to HTTPS client",
            "x509: ",
        ]],
        is_certain: true,
        found: "the image {2} that holds a pod together is not in the node, and its registry does not give it, so that no pod starts",
        ..SANDBOX
    },
    Signature {
        id: "sandbox-image-unreachable",
        components: &["kubelet"],
        patterns: SANDBOX_PULLS,
        found: "the image {2} that holds a pod together is not in the node and cannot be pulled, so that no pod starts",
        ..SANDBOX
    },
    Signature {
        id: "control-plane-image-unknown",
        components: &["kubelet"],
        patterns: CONTROL_PLANE_PULLS,
        only: &[
            FIRST_PODS,
            OF_A_CONTROL_PLANE,
            &[
                ": not found",
                "manifest unknown",
                "pull access denied",
                "authorization failed",
                "401 Unauthorized",
                "403 Forbidden",
            ],
        ],
        is_certain: true,
        found: "the image {2} of the control plane is not in the node, and its registry does not have it or does not give it away",
        expected: "the images that the node image brings, or ones that their registry gives to everybody",
        remedy: "correct `imageRepository` and `imageTag` in ClusterConfiguration; without them the images are taken that the node image brings",
        ..RUNNING
    },
    Signature {
        id: "control-plane-registry",
        components: &["kubelet"],
        patterns: CONTROL_PLANE_PULLS,
        only: &[
            FIRST_PODS,
            OF_A_CONTROL_PLANE,
            &[
                "no such host",
                "server gave HTTP response to HTTPS client",
                "first record does not look like a TLS handshake",
                "x509: ",
            ],
        ],
        is_certain: true,
        found: "the image {2} of the control plane is not in the node, and its registry cannot be asked: its name is unknown, or it does not prove who it is",
        expected: "the images that the node image brings, or a registry that nodes find and trust",
        remedy: "correct `imageRepository` in ClusterConfiguration, or let nodes find and trust the registry: see the `hosts.toml` of containerd",
        ..RUNNING
    },
    Signature {
        id: "control-plane-image",
        components: &["kubelet"],
        patterns: CONTROL_PLANE_PULLS,
        only: &[FIRST_PODS, OF_A_CONTROL_PLANE],
        found: "the image {2} of the control plane is not in the node and cannot be pulled",
        expected: "the images that the node image brings, or a registry that the node reaches",
        remedy: "correct `imageRepository` and `imageTag` in ClusterConfiguration, or make the registry reachable",
        ..RUNNING
    },
    Signature {
        id: "image-rate-limit",
        components: &["kubelet"],
        heals: true,
        patterns: &[
            r#"failed to pull and unpack image {}"{}{}toomanyrequests"#,
            r#"failed to pull and unpack image {}"{}{}429 Too Many Requests"#,
        ],
        found: "the registry of the image {2} gives no more to this address for a while",
        expected: "fewer pulls, or ones with a login",
        remedy: "bring the image with `kind load`, take a mirror, or let nodes log in at the registry",
        ..RUNNING
    },
    Signature {
        id: "proxy-login",
        components: &["kubelet"],
        heals: true,
        patterns: &["Proxy Authentication Required"],
        found: "the proxy that nodes were given wants a login",
        expected: "a proxy that serves nodes, and none for addresses of the cluster",
        remedy: "correct HTTP_PROXY, HTTPS_PROXY and NO_PROXY where kind is called, and create the cluster anew",
        ..RUNNING
    },
    Signature {
        id: "image-missing",
        components: &["kubelet"],
        heals: true,
        patterns: &[
            r#""Failed to pull image" err="{}failed to pull and unpack image \"{}\"{}no such host"#,
            r#""Failed to pull image" err="{}failed to pull and unpack image \"{}\"{}not found"#,
            r#"PullImage{}"{}" from image service failed: {}no such host"#,
            r#"PullImage{}"{}" from image service failed: {}not found"#,
        ],
        found: "the image {2} is not in the node and cannot be pulled",
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
        // Its pod is told without a namespace.
        only: &[OF_A_CONTROL_PLANE],
        // A socket may be of a pod that starts beside it; files and directories are there before the kubelet, or never.
        is_certain: true,
        patterns: &[
            r#"MountVolume.SetUp failed for volume {}"{}{}pod {}"etcd-{}hostPath type check failed: {} is not a file"#,
            r#"MountVolume.SetUp failed for volume {}"{}{}pod {}"etcd-{}hostPath type check failed: {} is not a directory"#,
            r#"MountVolume.SetUp failed for volume {}"{}{}pod {}"kube-apiserver-{}hostPath type check failed: {} is not a file"#,
            r#"MountVolume.SetUp failed for volume {}"{}{}pod {}"kube-apiserver-{}hostPath type check failed: {} is not a directory"#,
        ],
        found: "a pod of the control plane cannot start: its volume {2} is {6} of the node, which is not there or of another type",
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
            "context canceled",
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
        id: "out-of-memory",
        components: &["kernel"],
        heals: true,
        patterns: &["oom_kill {}"],
        found: "memory ran out, and it has killed processes since the start ({1})",
        expected: "memory for all that runs in nodes: a control plane takes 700 MiB or more",
        remedy: "give the node more (`resources.memory`), or the engine's machine; stop clusters that are not in use (`kind stop cluster`), or make fewer nodes",
        ..RUNNING
    },
    Signature {
        id: "etcd-slow",
        components: &["etcd"],
        heals: true,
        patterns: &["failed to send out heartbeat on time", "slow fdatasync"],
        found: "the machine or its disk is too slow for it",
        expected: "a disk that writes within 10 ms, and time on the processors",
        remedy: "make fewer nodes or stop what else runs; a data directory in memory (`extraMounts` of a tmpfs at /var/lib/etcd) helps where the disk is slow",
        ..RUNNING
    },
    Signature {
        id: "etcd-unreachable",
        components: &["kube-apiserver"],
        except: GIVEN_UP,
        patterns: ETCD_PATTERNS,
        heals: true,
        found: "it does not reach etcd at {1}: {3}",
        expected: "an etcd that answers",
        remedy: "see why etcd does not run: its log is below /var/log/pods in the node",
        ..RUNNING
    },
];
