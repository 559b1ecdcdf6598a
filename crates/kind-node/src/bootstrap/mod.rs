//! What the steps of a cluster's bootstrap do beside kubeadm, each a sub-command: wait for something, or make or
//! change objects. In: arguments, manifests on stdin, and the kubeconfigs that kubeadm leaves in the node. Out:
//! objects in the cluster, files of the kubelet, and an exit code with a sentence on stderr.

mod admin_client;
pub(crate) mod api_server;
pub(crate) mod bootstrap_token;
pub(crate) mod first_pods;
pub(crate) mod kubelet_kubeconfig;
pub(crate) mod node_readiness;
pub(crate) mod node_shutdown;
pub(crate) mod objects;
pub(crate) mod pod_cidrs;
pub(crate) mod ready_nodes;
pub(crate) mod registration;
pub(crate) mod service_account;
mod service_address;
pub(crate) mod taints_and_labels;
