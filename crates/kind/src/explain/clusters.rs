//! Codes about clusters, their configuration and the command line.

use super::entry::{Entry, entry};
use crate::Code;

/// What they mean.
pub(super) const TABLE: &[Entry] = &[
    entry(
        Code::ClusterExists,
        [
            "Nodes with the label of a cluster of that name are there, whether they run or not.",
            "`create cluster`, before anything is made; `create cluster --dry-run` where an engine answers.",
            "Choose another name with `--name`, or remove that cluster with `kind delete cluster --name NAME`.",
            "node(s) already exist for a cluster with the name \"kind\"",
        ],
    ),
    entry(
        Code::ClusterMissing,
        [
            "The engine has no node with the label of a cluster of that name.",
            "`start cluster`, `stop cluster`, `export logs`.",
            "See what is there with `kind get clusters`; clusters of other engines show with `--provider` or \
             KIND_EXPERIMENTAL_PROVIDER. Ordinary users and root have clusters of their own.",
            "unknown cluster \"kind\"",
        ],
    ),
    entry(
        Code::ControlPlaneMissing,
        [
            "Nodes of the cluster are there, or none at all, and none of them is a control plane.",
            "`get kubeconfig`, `export kubeconfig`, `start cluster --wait`.",
            "Name another cluster with `--name`. A cluster that has lost its control plane cannot be repaired: delete it.",
            "could not locate any control plane nodes for cluster named 'kind'. Use the --name option to select a \
             different cluster",
        ],
    ),
    entry(
        Code::NodesMissing,
        [
            "The cluster has no node that runs containers, or does not exist.",
            "`load docker-image`, `load image-archive`.",
            "See what is there with `kind get clusters` and `kind get nodes --name NAME`.",
            "no nodes found for cluster \"kind\"",
        ],
    ),
    entry(
        Code::NodeMissing,
        [
            "A node was named that is none of the cluster's.",
            "`load … --nodes`.",
            "See the cluster's nodes with `kind get nodes --name NAME`.",
            "unknown node: kind-worker9",
        ],
    ),
    entry(
        Code::Config,
        [
            "The configuration is no YAML of a known version, has fields that it must not have, or values that do \
             not go together.",
            "`create cluster`, with `--dry-run` too, and the `config` commands; before anything is made.",
            "The hint has the file and the line. `kind config validate FILE` checks without making anything; \
             `kind config schema` prints the schema for an editor.",
            "invalid configuration: nodes must have at least one control-plane node",
        ],
    ),
    entry(
        Code::Document,
        [
            "kubeadm's documents, containerd's configuration or certificates of a node could not be made, mostly \
             because a patch of the configuration does not fit.",
            "`create cluster`, with `--dry-run` too.",
            "The hint has the patch's place in the configuration. `kind create cluster --dry-run` shows the documents \
             that patches are for.",
            "failed to make the node's configuration: …",
        ],
    ),
    entry(
        Code::Manifest,
        [
            "The pod network's manifest, which the node image brings, is no YAML or has a template that cannot be filled.",
            "`create cluster`.",
            "Use another node image, or set `networking.disableDefaultCNI: true` and bring a pod network of your own.",
            "failed to apply overlay network: …",
        ],
    ),
    entry(
        Code::Kubeconfig,
        [
            "The user's kubeconfig, or the one that a cluster has, is no kubeconfig, or the system does not let kind \
             read or write it.",
            "Every command that writes kubeconfigs: `create cluster` (before anything is made), `delete cluster`, \
             `export kubeconfig`; `get kubeconfig`.",
            "The message names the file. Repair it, make it writable, or choose another one with `--kubeconfig` or \
             KUBECONFIG.",
            "failed to write kubeconfig: open /home/a/.kube/config: permission denied",
        ],
    ),
    entry(
        Code::KubeconfigLocked,
        [
            "`FILE.lock` beside the kubeconfig is there: kubectl, helm or another kind writes the file, or a program \
             died while it did. kind waits for two seconds, and removes locks of processes that are gone.",
            "Every command that writes kubeconfigs.",
            "Try again. If no such program runs, remove the lock file.",
            "failed to lock config file: open /root/.kube/config.lock: file exists",
        ],
    ),
    entry(
        Code::Endpoint,
        [
            "The cluster has several control planes and no load balancer in front of them, or no published port.",
            "`get kubeconfig`, `export kubeconfig`, the end of `create cluster`.",
            "Look with `kind get nodes` and the engine whether nodes are gone; create the cluster again.",
            "failed to get api server endpoint: expected one control plane node or a load balancer, not 2 and none",
        ],
    ),
    entry(
        Code::Usage,
        [
            "A command or flag does not exist, or has too few or too many values.",
            "Every command, before it does anything.",
            "`kind COMMAND --help` shows what there is.",
            "unknown flag: --nam",
        ],
    ),
    entry(
        Code::Command,
        [
            "What a command needs from its surroundings is not there, for example a provider of that name, HOME or a \
             topic to explain.",
            "Every command, before it does anything.",
            "Do what the message says.",
            "unknown provider \"dokcer\", known are: native, docker, podman, nerdctl",
        ],
    ),
    entry(
        Code::NotSupported,
        [
            "The original kind can do this, or may in time, and this version cannot.",
            "Every command, before it does anything.",
            "Leave out the flag, or use another way that the help shows.",
            "building for arm64 on amd64 is not supported by this version yet",
        ],
    ),
    entry(
        Code::Io,
        [
            "The operating system refused an operation on a file or directory, which the message names.",
            "Every command that reads or writes files of the host.",
            "Mend what the system complains about: a path, its permissions, a full disk.",
            "failed to create /logs: permission denied (os error 13)",
        ],
    ),
    entry(
        Code::Cancelled,
        [
            "The user pressed Ctrl-C, or somebody sent SIGINT, SIGTERM or SIGHUP.",
            "Every command. What a command has made by then is removed, unless `--retain` keeps it.",
            "Give the command again. After a second signal the last lines say what may be left and how to remove it.",
            "interrupted",
        ],
    ),
    entry(
        Code::Many,
        [
            "A command went on after a failure as far as it could, and more failed. The message has all of them.",
            "`delete cluster`, `export logs`, `prune`, `load …` into several nodes.",
            "Mend the first failure and give the command again.",
            "[failed to inspect node \"a\", failed to read the console of node \"a\"]",
        ],
    ),
];
