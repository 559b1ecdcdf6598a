//! Codes of docker, podman and nerdctl, and of the native engine.

use super::entry::{Entry, entry};
use crate::Code;

/// What they mean.
pub(super) const TABLE: &[Entry] = &[
    entry(
        Code::EngineAddressTaken,
        [
            "Another container got the address that a node has kept since it was made.",
            "`start cluster`, `create cluster`.",
            "Stop that container and start the cluster again, or delete the cluster and create it again.",
            "Error response from daemon: Address already in use",
        ],
    ),
    entry(
        Code::EngineAnswer,
        [
            "The engine's program answered with something else than the documents that its versions are known for.",
            "Every command that asks an engine.",
            "See whether the program is the one you mean (`type -a docker`) and not a wrapper of another one; update it.",
            "docker says of itself what cannot be read: …",
        ],
    ),
    entry(
        Code::EngineBoot,
        [
            "A node's console did not show within 30 seconds that its init system is up.",
            "`create cluster`, `start cluster`.",
            "Read the console: `kind create cluster --retain`, then `kind export logs`, file `serial.log`. Often the host \
             has too few inotify instances (`sysctl fs.inotify.max_user_instances`).",
            "could not find a log line that matches \"Reached target .*Multi-User System.*|detected cgroup v1\"",
        ],
    ),
    entry(
        Code::EngineDaemonDenied,
        [
            "The daemon's socket belongs to root or a group that this user is not in.",
            "Every command that asks docker.",
            "`sudo usermod -aG docker $USER`, then log in again; or run kind with sudo.",
            "permission denied while trying to connect to the Docker daemon socket",
        ],
    ),
    entry(
        Code::EngineDiskFull,
        [
            "The disk on which the engine keeps containers, or the state directory, has no room.",
            "Every command that makes something.",
            "Remove what nobody needs: `kind prune`, `docker system prune`. The native engine's place is KIND_STATE_DIR.",
            "only 211 MiB are free below /var/lib/kind",
        ],
    ),
    entry(
        Code::EngineHelper,
        [
            "A process that the native engine started ended as one that failed and left no reason.",
            "Every command on the native engine.",
            "Look into the kernel's log (`dmesg`); the disk of the state directory may be full.",
            "a helper process of the native engine failed without a reason",
        ],
    ),
    entry(
        Code::EngineHelperKilled,
        [
            "Somebody killed a process that the native engine started, mostly the kernel for want of memory.",
            "Every command on the native engine.",
            "Look for `Out of memory` in `dmesg`, and give the command again.",
            "a helper process of the native engine was killed",
        ],
    ),
    entry(
        Code::EngineImageDenied,
        [
            "A registry says that there is no such image, or that one must log in for it; it does not say which.",
            "`create cluster`, while the engine pulls.",
            "Look at the image's name and tag, or log in with the engine (`docker login`).",
            "pull access denied for kindest/nod, repository does not exist or may require 'docker login'",
        ],
    ),
    entry(
        Code::EngineImageMissing,
        [
            "The engine was asked to make a node of an image that it does not have.",
            "`create cluster`.",
            "`kind build node-image debian` builds one, `kind create cluster --from debian` does both.",
            "image \"kindest/node:v1.36.1\" not present locally",
        ],
    ),
    entry(
        Code::EngineIo,
        [
            "The system refused an operation of an engine on a file, process or device of the host.",
            "Every command that needs an engine.",
            "Mend what the message says: a path, its permissions, a full disk.",
            "create /var/lib/kind/nodes: read-only file system",
        ],
    ),
    entry(
        Code::EngineMany,
        [
            "An engine went on after a failure as far as it could, and more failed.",
            "`delete cluster`, `prune`.",
            "Mend the first failure and give the command again.",
            "[no node named \"a\", no node named \"b\"]",
        ],
    ),
    entry(
        Code::EngineMountNotShared,
        [
            "An `extraMounts` with propagation `HostToContainer` or `Bidirectional` lies on a host mount that is private.",
            "`create cluster` on the native engine.",
            "`mount --make-rshared /`, or leave `propagation` out.",
            "/data is not on a shared mount, so later mounts cannot reach the node",
        ],
    ),
    entry(
        Code::EngineNetworkGone,
        [
            "The network for nodes was made, and somebody removed it at once.",
            "`create cluster`.",
            "Look for a program that removes networks (`docker network prune` in a job), and try again.",
            "network \"kind\" was made and is gone again",
        ],
    ),
    entry(
        Code::EngineNetworkMissing,
        [
            "A node's record names a network whose own record is gone.",
            "`start cluster` on the native engine.",
            "Delete the cluster and create it again.",
            "the record of network kind is gone",
        ],
    ),
    entry(
        Code::EngineNoAnswer,
        [
            "The engine's program has said nothing for some seconds, and the engine does not answer the simplest question \
             either; or it answers, and one call of it does not end. The call was ended.",
            "Every command that asks an engine, within ten seconds after the engine has begun to hang.",
            "Restart the engine (`sudo systemctl restart docker`; Docker Desktop and machines of podman: restart them), or \
             choose another one with `--provider`. `docker version` ends at once when it is back; then `kind delete \
             cluster --name NAME` removes what a creation has left.",
            "docker does not answer: \"docker ps -a\" has said nothing for 9 s, and neither has \"docker version\"",
        ],
    ),
    entry(
        Code::EngineNoCgroup,
        [
            "Nodes need cgroups, and none are mounted on this host.",
            "`create cluster` on the native engine.",
            "`mount -t cgroup2 none /sys/fs/cgroup`",
            "no cgroup hierarchy is mounted on this host",
        ],
    ),
    entry(
        Code::EngineNoDaemon,
        [
            "The engine's program is there, and nothing answers where it connects to.",
            "Every command that asks an engine.",
            "Start it (`systemctl start docker`, `podman machine start`), or see where its program connects to: \
             `docker context ls`, DOCKER_HOST. On Linux, root needs none with `--provider native`.",
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        ],
    ),
    entry(
        Code::EngineNoEntrypoint,
        [
            "The image's configuration has neither an entry point nor a command, so nothing could start a node.",
            "`create cluster` on the native engine.",
            "Use a node image.",
            "image a:1 has no entry point, so it is no node image",
        ],
    ),
    entry(
        Code::EngineNoOverlay,
        [
            "Native nodes stand on overlayfs, which this kernel does not have.",
            "`create cluster` on the native engine.",
            "Use a kernel with CONFIG_OVERLAY_FS (`modprobe overlay`).",
            "this kernel has no overlayfs",
        ],
    ),
    entry(
        Code::EngineNoSubnet,
        [
            "All ranges that the engine may take networks from are in use.",
            "`create cluster`, when there is no network for nodes yet.",
            "Remove networks that nobody uses (`docker network prune`), or give the engine more ranges \
             (`default-address-pools` of dockerd).",
            "exhausted attempts trying to find a non-overlapping subnet",
        ],
    ),
    entry(
        Code::EngineNodeExists,
        [
            "A container has the name that a node should get; it need not be one of kind's.",
            "`create cluster`.",
            "Remove that container, or choose another name for the cluster.",
            "a node named \"kind-control-plane\" exists already",
        ],
    ),
    entry(
        Code::EngineNodeMissing,
        [
            "A node went while a command used it.",
            "Every command that uses nodes.",
            "See what is there with `kind get nodes`; create the cluster again if somebody removed its nodes.",
            "no node named \"kind-control-plane\"",
        ],
    ),
    entry(
        Code::EngineNodeRunning,
        [
            "Two programs started the same node at once, and the other one was first.",
            "`start cluster` on the native engine.",
            "Nothing: the node runs.",
            "node kind-control-plane runs already",
        ],
    ),
    entry(
        Code::EngineNodeStopped,
        [
            "A command needs a node that runs, and it does not.",
            "`load …`, `get kubeconfig`, `create cluster`.",
            "`kind start cluster --name NAME`. If it ended by itself, `kind export logs` has its last words.",
            "node kind-control-plane is not running",
        ],
    ),
    entry(
        Code::EngineNodeStuck,
        [
            "A node's processes were killed and are still there: they wait for a disk or a network filesystem.",
            "`delete cluster`, `stop cluster` on the native engine.",
            "Look for processes in state D (`ps -eo pid,stat,comm`) and mend what they wait for.",
            "node kind-worker does not end although its processes were killed",
        ],
    ),
    entry(
        Code::EngineNotRoot,
        [
            "Native nodes are made of namespaces, mounts and cgroups that only root may make.",
            "Every command on the native engine.",
            "Run kind with sudo, or use docker, podman or nerdctl.",
            "the native engine needs root for now",
        ],
    ),
    entry(
        Code::EnginePathNotShared,
        [
            "The engine runs in a virtual machine that does not see the host path of an `extraMounts`.",
            "`create cluster`.",
            "Share the path in the engine's settings (Docker Desktop: Resources, File sharing).",
            "Mounts denied: The path /data is not shared from the host",
        ],
    ),
    entry(
        Code::EnginePodmanOld,
        [
            "kind needs podman 1.8.0 or newer.",
            "Every command that asks podman.",
            "Update podman.",
            "podman version \"1.6.4\" is too old, please upgrade to \"1.8.0\" or later",
        ],
    ),
    entry(
        Code::EnginePortAddress,
        [
            "A port mapping has a `listenAddress` that no interface of this host has.",
            "`create cluster` on the native engine.",
            "Set it to an address of this host, or leave it out.",
            "address 192.0.2.1 is not one of this host",
        ],
    ),
    entry(
        Code::EnginePortSctp,
        [
            "The native engine forwards TCP and UDP.",
            "`create cluster` on the native engine.",
            "Use another protocol, or docker.",
            "port 80 cannot be published: the native engine has no SCTP",
        ],
    ),
    entry(
        Code::EnginePortTaken,
        [
            "Another program listens on a host port that the configuration asks for.",
            "`create cluster`, `start cluster`.",
            "End that program (`ss -ltnp` names it), or choose another `hostPort` or `apiServerPort`; 0 takes a free one.",
            "port 127.0.0.1:6443 is in use by process 812 (nginx)",
        ],
    ),
    entry(
        Code::EnginePrepare,
        [
            "A node image holds its images packed; its own containerd, started to unpack them once, failed.",
            "`create cluster` on the native engine, the first with that image.",
            "Read what containerd said, which the message has. The disk of the state directory may be full.",
            "the node image's containerd does not unpack its images: …",
        ],
    ),
    entry(
        Code::EngineProgramFailed,
        [
            "docker, podman or nerdctl ended with a failure that kind does not know. Where it is known what was tried, \
             the code says that instead (KIND-NODE-CREATE, KIND-NETWORK-CREATE and others).",
            "Every command that asks an engine.",
            "Read what the program printed, and give its command, which the message has, by hand.",
            "command \"docker ps -a\" failed with error: exit status 1",
        ],
    ),
    entry(
        Code::EngineProgramMissing,
        [
            "The program of the engine that was asked for is not in PATH.",
            "Every command that asks an engine.",
            "Install it, or choose another engine with `--provider`; on Linux, root needs none with `--provider native`.",
            "exec: \"docker\": executable file not found in $PATH",
        ],
    ),
    entry(
        Code::EngineRecord,
        [
            "A file below the state directory that describes a native node is no longer what kind wrote.",
            "Every command on the native engine.",
            "Remove the cluster with `kind delete cluster`, which needs no more than its name.",
            "node record /var/lib/kind/nodes/a/node.json is damaged",
        ],
    ),
    entry(
        Code::EngineRecordNewer,
        [
            "A native node was made by a version of kind whose records this one does not know.",
            "Every command on the native engine.",
            "Use the kind that made the cluster, or a newer one.",
            "/var/lib/kind/nodes/a/node.json was written by a newer kind",
        ],
    ),
    entry(
        Code::EngineRegistryUnreachable,
        [
            "The engine found no way to a registry: no network, no name server, a proxy or a firewall.",
            "`create cluster`, while the engine pulls.",
            "Check the network, the engine's proxy and the name. Images that are here already are not pulled; \
             `kind create cluster --from debian` needs no registry.",
            "dial tcp: lookup registry-1.docker.io: no such host",
        ],
    ),
    entry(
        Code::EngineRootlessHost,
        [
            "The host lacks something that nodes of an engine without root need. The message has all of it at once.",
            "`create cluster`, before anything is made.",
            "Give the commands of the hint.",
            "this host is not ready for podman without root: …",
        ],
    ),
    entry(
        Code::EngineSharedVar,
        [
            "The volume that all nodes of an image share could not be filled with what the image's containerd unpacks.",
            "`create cluster` on docker and podman, the first with that image.",
            "Read what the message says of containerd; `docker system df` shows whether the disk is full.",
            "the node image's containerd does not unpack its images: …",
        ],
    ),
    entry(
        Code::EngineSubnetRouted,
        [
            "Since the network of nodes was made, the host got a route to other machines with the same addresses, for \
             example by a VPN.",
            "`create cluster` on docker and podman of this host; `start cluster`, `create cluster` on the native engine.",
            "Take the route away, or delete all clusters, and of other engines than the native one the network (`docker \
             network rm kind`): the next one gets another network.",
            "network kind has the addresses 172.18.0.0/16, and this host routes 172.18.0.0/24 elsewhere now",
        ],
    ),
    entry(
        Code::EngineUnprivileged,
        [
            "Nodes need privileged containers, and this host keeps a capability even from those.",
            "`create cluster` on docker, podman or nerdctl inside of a container.",
            "Give the engine that capability, or use `--provider native` on Linux, which does without it.",
            "unable to apply caps: operation not permitted",
        ],
    ),
    entry(
        Code::NetworkNetlink,
        [
            "The kernel refused to make a bridge or a pair of devices, or to set an address or route.",
            "`create cluster`, `start cluster` on the native engine.",
            "Run as root on a kernel with bridge and veth devices.",
            "add link kind0: operation not supported",
        ],
    ),
    entry(
        Code::NetworkNftMissing,
        [
            "The native engine sets the rules of packets by the program `nft`, which is not installed.",
            "`create cluster` on the native engine.",
            "Install the package `nftables`.",
            "the program `nft` was not found",
        ],
    ),
    entry(
        Code::NetworkNft,
        [
            "The kernel lacks what the rules for nodes are made of, or they clash with others.",
            "`create cluster`, `start cluster` on the native engine.",
            "Use a kernel with nf_tables and NAT (modules nf_tables, nft_masq).",
            "nft refused the ruleset: …",
        ],
    ),
    entry(
        Code::NetworkFirewall,
        [
            "The host drops what is forwarded, and its firewall did not take the rule that lets nodes through.",
            "`create cluster` on the native engine.",
            "Let the firewall accept packets of the bridge, or update the program that the message names.",
            "iptables refused a change of the host's firewall: …",
        ],
    ),
    entry(
        Code::NetworkNoSubnet,
        [
            "Every range that the native engine takes networks from is routed on this host already.",
            "`create cluster` on the native engine, when there is no network for nodes yet.",
            "Remove a route or a network that is not needed any more (`ip route`).",
            "every subnet for networks of nodes is routed on this host already: …",
        ],
    ),
    entry(
        Code::NetworkNoAddress,
        [
            "All addresses of the nodes' network are given to nodes.",
            "`create cluster` on the native engine.",
            "Delete clusters that are not needed any more.",
            "subnet 172.18.0.0/16 has no address left",
        ],
    ),
];
