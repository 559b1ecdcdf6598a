//! Codes that say what was tried with nodes, images or networks, where the engine's own failure says no more.

use super::entry::{Entry, entry};
use crate::Code;

const OUTPUT: &str = "Read what the engine printed, which follows the message (in JSON: `output`); `-v 3` shows every call of it.";

/// What they mean.
pub(super) const TABLE: &[Entry] = &[
    entry(
        Code::NodeStep,
        [
            "A program that brings Kubernetes up in a node, or that a command runs there, failed or took too long. \
             What was found in its way is listed below the message (in JSON: `causes`), each with a cause that \
             `kind explain` knows too.",
            "`create cluster`, `load …`, `start cluster`, `export logs`.",
            "Follow the hint. The logs of all nodes are kept in the directory that the last line names; `--retain` keeps \
             the nodes themselves.",
            "failed to create cluster: kubeadm init: kube-apiserver: it does not know the flag --no-such-flag",
        ],
    ),
    entry(
        Code::NodeCreate,
        [
            "The engine refused to make a node, and kind does not know the reason.",
            "`create cluster`.",
            OUTPUT,
            "failed to create node \"kind-control-plane\": command \"docker create …\" failed with error: exit status 125",
        ],
    ),
    entry(
        Code::NodeStart,
        [
            "The engine has the node and does not start it.",
            "`create cluster`, `start cluster`.",
            OUTPUT,
            "failed to start node \"kind-control-plane\": …",
        ],
    ),
    entry(
        Code::NodeBoot,
        [
            "The node's first process runs, and its init system did not come up so far that commands run.",
            "`create cluster`, `start cluster`.",
            "Read the node's console: `kind create cluster --retain`, then `kind export logs`, file `serial.log`.",
            "failed to boot node \"kind-control-plane\": …",
        ],
    ),
    entry(
        Code::NodeStop,
        [
            "The engine could not stop a node.",
            "`stop cluster`.",
            OUTPUT,
            "failed to stop node \"kind-control-plane\": …",
        ],
    ),
    entry(
        Code::NodeDelete,
        [
            "The engine could not remove nodes. Everything else of the cluster was removed.",
            "`delete cluster`, the end of a failed `create cluster`.",
            "Mend what the engine complains about and give `kind delete cluster --name NAME` again: it may be repeated.",
            "failed to delete nodes: …",
        ],
    ),
    entry(
        Code::NodeList,
        [
            "The engine did not say which nodes there are.",
            "Every command that looks for a cluster.",
            OUTPUT,
            "failed to list nodes: command \"docker ps …\" failed with error: exit status 1",
        ],
    ),
    entry(
        Code::NodeReach,
        [
            "The engine could not run a program in a node, or lost it.",
            "`create cluster`, `load …`, `export logs`, `get kubeconfig`.",
            "See whether the node runs (`kind get nodes`, `docker ps`); one that has died says why in its console, \
             which `kind export logs` collects.",
            "failed to reach node \"kind-control-plane\": …",
        ],
    ),
    entry(
        Code::NodeFiles,
        [
            "The engine could not copy files into a node or out of it.",
            "`create cluster`, `export logs`.",
            OUTPUT,
            "failed to write files into node \"kind-control-plane\": …",
        ],
    ),
    entry(
        Code::NodeLogs,
        [
            "The engine did not give what it knows of a node, or the node's console; or a node is not running, and its journal, \
             kept in memory, ended with it. Everything else was collected.",
            "`export logs`.",
            "Where an engine failed: read what it printed, under the error. Of a node that does not run, `serial.log` and its \
             pods' logs tell the most; export logs before nodes are stopped.",
            "failed to read the console of node \"kind-control-plane\": …",
        ],
    ),
    entry(
        Code::NetworkCreate,
        [
            "The engine has no network for nodes and could not make one, for a reason that kind does not know.",
            "`create cluster`.",
            OUTPUT,
            "failed to ensure docker network: …",
        ],
    ),
    entry(
        Code::NetworkIpv6,
        [
            "The configuration asks for `ipFamily: ipv6` or `dual`, and the engine's network for nodes has IPv4 only.",
            "`create cluster`, before nodes are made.",
            "Delete the clusters on that network and remove it (`docker network rm kind`): it is made anew with IPv6. If \
             that changes nothing, let the engine and its host have IPv6, or set `ipFamily: ipv4`.",
            "failed to ensure docker network: network \"kind\" has no IPv6 subnet, and the cluster wants IPv6",
        ],
    ),
    entry(
        Code::NetworkOverlap,
        [
            "The engine's network for nodes has addresses that pods of the cluster would get: packets for one reach the \
             other.",
            "`create cluster`, before nodes are made.",
            "Set `networking.podSubnet` to addresses that nobody has, or remove what is on that network and then the \
             network (`docker network rm kind`): it is made anew.",
            "network \"kind\" of the nodes has the addresses 10.244.0.0/16, and pods of the cluster would have 10.244.0.0/24",
        ],
    ),
    entry(
        Code::HostCheck,
        [
            "The engine did not say what its host can do.",
            "`create cluster`, `export logs`.",
            OUTPUT,
            "failed to get docker info: …",
        ],
    ),
    entry(
        Code::HostResources,
        [
            "The host has less than the cluster's nodes take of inotify's instances or watches, open files, threads, \
             followed connections, memory or disks, and the limit could not be raised.",
            "`create cluster`, before anything is made.",
            "The hint says what there is too little of and how to have more; `kind doctor` lists all that is scarce.",
            "the host cannot run the cluster's nodes: …",
        ],
    ),
    entry(
        Code::NotReady,
        [
            "The time of `--wait` is over, and a node is not Ready, a pod of kube-system does not run, or the address \
             of a Service does not answer in the network of pods. The cluster is there and may still become ready.",
            "`create cluster --wait`, `start cluster --wait`.",
            "See what stands in its way with `kind doctor NAME`, or wait for longer. A cluster whose pod network you \
             bring yourself (`disableDefaultCNI`) cannot be ready before that: it is created all the same.",
            "cluster \"kind\" was created and stays: it is not ready in time: pod kube-proxy-x is not ready: …",
        ],
    ),
    entry(
        Code::Architecture,
        [
            "The engine's daemon is on a machine of another architecture than the one that this kind was built for, \
             for example over DOCKER_HOST.",
            "`create cluster`, before anything is made.",
            "Use a kind that was built for that machine, or an engine on this one.",
            "nodes cannot run on the machine of docker: it is arm64, and this kind brings a program for nodes of amd64",
        ],
    ),
    entry(
        Code::EngineUnavailable,
        [
            "The engine that was asked for cannot be used, or none was asked for and none answers.",
            "Every command that needs an engine.",
            "Install or start docker, podman or nerdctl; on Linux, root needs none with `--provider native`.",
            "cannot use the engine \"docker\": …",
        ],
    ),
    entry(
        Code::Rootless,
        [
            "Nodes of an engine without root need cgroup v2 and its controllers.",
            "`create cluster`, before anything is made.",
            "Do what the hint says, then log in again; https://kind.sigs.k8s.io/docs/user/rootless/ has more.",
            "running kind with rootless provider requires setting systemd property \"Delegate=yes\", see \
             https://kind.sigs.k8s.io/docs/user/rootless/",
        ],
    ),
    entry(
        Code::Prune,
        [
            "Something that no cluster uses could not be removed. Everything else was.",
            "`prune`.",
            OUTPUT,
            "failed to remove what is not used: …",
        ],
    ),
    entry(
        Code::ImageNotPresent,
        [
            "Neither the engine that runs the nodes nor a docker beside it has an image of that name.",
            "`load docker-image`.",
            "Pull or build it, look at its name and tag (`docker images`), or load an archive of it with \
             `kind load image-archive`.",
            "image: \"app:1\" not present locally",
        ],
    ),
    entry(
        Code::ImageUnusable,
        [
            "The image is no node image, or has no `/kind/version` or no manifests where nodes need them.",
            "`create cluster`.",
            "Use an image that kind's releases name, or one of `kind build node-image`.",
            "node image \"busybox\" is unusable: …",
        ],
    ),
    entry(
        Code::ImageLookup,
        [
            "The engine did not say whether it has an image.",
            "`create cluster`, `load docker-image`, completion of image names.",
            OUTPUT,
            "failed to look for image \"app:1\": …",
        ],
    ),
    entry(
        Code::ImagePull,
        [
            "The engine could not bring a node image, for a reason that kind does not know.",
            "`create cluster`.",
            "Read what the engine printed. Without a registry, `kind create cluster --from debian` builds a node image.",
            "failed to pull image \"kindest/node:v1.36.1\": …",
        ],
    ),
    entry(
        Code::ImageTransfer,
        [
            "The engine could not pack images, take a built one, or hand an archive to a node.",
            "`load …`, `build node-image`, `create cluster --from`.",
            OUTPUT,
            "failed to save images: …",
        ],
    ),
    entry(
        Code::ImageStore,
        [
            "The directory in which builds and the native engine keep images cannot be used.",
            "`build node-image`, `create cluster --from`.",
            "Look at the disk and the permissions of the state directory, or choose another with KIND_STATE_DIR.",
            "failed to open the image store: create /var/lib/kind/images: permission denied",
        ],
    ),
    entry(
        Code::VersionUnknown,
        [
            "A dry run makes nothing, so it cannot look into an image that is not here.",
            "`create cluster --dry-run`.",
            "Say which Kubernetes it has with `--kubernetes-version`, or pull the image before.",
            "cannot tell the Kubernetes version of image \"a:1\", which is not here",
        ],
    ),
    entry(
        Code::Source,
        [
            "A node image cannot be made from a source of that type.",
            "`build node-image`, `create cluster --from`.",
            "`kind build node-image --help` has all sources; `debian` needs the least.",
            "failed to build the node image from \"x\": …",
        ],
    ),
];
