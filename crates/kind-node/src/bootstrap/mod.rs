//! What the steps of a cluster's bootstrap do beside kubeadm, each a sub-command: wait for something, or make or
//! change objects. In: arguments, manifests on stdin, and the kubeconfigs that kubeadm leaves in the node. Out:
//! objects in the cluster, files of the kubelet, and an exit code with a sentence on stderr.

pub(crate) mod account;
mod administrator;
pub(crate) mod kubelet;
pub(crate) mod marks;
pub(crate) mod objects;
pub(crate) mod pod_cidrs;
pub(crate) mod readiness;
pub(crate) mod ready_nodes;
pub(crate) mod registration;
pub(crate) mod server;
pub(crate) mod stopping;
