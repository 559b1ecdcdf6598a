//! The table of what is looked at in a cluster: one entry, one check.

use super::facts::Patient;
use super::{access, kubectl, nodes, server};
use crate::doctor::entry::Entry;

/// All of them.
pub(in crate::doctor) static CLUSTER_CHECKS: &[Entry<Patient>] = &[
    Entry {
        id: "nodes-running",
        title: "nodes",
        remedy: "`kind start cluster --name NAME`",
        look: nodes::look_at_state,
    },
    Entry {
        id: "nodes-answering",
        title: "commands in nodes",
        remedy: "see whether the host is overloaded, or stop and start the cluster",
        look: nodes::look_at_answers,
    },
    Entry {
        id: "units",
        title: "containerd and the kubelet of nodes",
        remedy: "start it, and see its journal for why it has ended",
        look: nodes::look_at_units,
    },
    Entry {
        id: "components",
        title: "what components of nodes say",
        remedy: "what the signature says, as after a creation that failed",
        look: nodes::look_at_components,
    },
    Entry {
        id: "api-server",
        title: "API servers",
        remedy: "look at the logs that it names",
        look: server::look_at_servers,
    },
    Entry {
        id: "api-server-port",
        title: "the way to the API server",
        remedy: "see what the engine publishes, and firewalls between",
        look: access::look_at_port,
    },
    Entry {
        id: "kubeconfig-context",
        title: "the context of your kubeconfig",
        remedy: "`kind export kubeconfig --name NAME`",
        look: access::look_at_context,
    },
    Entry {
        id: "kubectl",
        title: "your kubectl",
        remedy: "install one of the cluster's version",
        look: kubectl::look_at_kubectl,
    },
    Entry {
        id: "nodes-ready",
        title: "nodes as the API server knows them",
        remedy: "`kubectl describe node`, and the kubelet's journal",
        look: server::look_at_nodes,
    },
    Entry {
        id: "nodes-short",
        title: "what nodes are short of",
        remedy: "free disk or memory, here and in the engine",
        look: server::look_at_shortages,
    },
    Entry {
        id: "system-pods",
        title: "pods of Kubernetes itself",
        remedy: "`kubectl describe pod` and `kubectl logs`",
        look: server::look_at_pods,
    },
    Entry {
        id: "certificates",
        title: "certificates of nodes",
        remedy: "the commands of kubeadm that it names, then stop and start the cluster and export its kubeconfig",
        look: nodes::look_at_certificates,
    },
    Entry {
        id: "node-disks",
        title: "disks of nodes",
        remedy: "remove images and volumes that are not needed",
        look: nodes::look_at_disks,
    },
    Entry {
        id: "node-clocks",
        title: "clocks of nodes",
        remedy: "set the clock of the engine's machine",
        look: nodes::look_at_clocks,
    },
];
