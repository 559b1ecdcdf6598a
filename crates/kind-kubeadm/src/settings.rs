//! What a cluster's configuration says about Kubernetes itself, ready to be used: patches are parsed, names are
//! chosen. Whatever makes something for a node needs these, and not the configuration that they came from.

use std::collections::BTreeMap;

use kind_config::{AddOns, Audit, Cluster, FileOrText, Networking, Node, Role, Taint};

use crate::patch::Patches;
use crate::{Error, containerd};

/// What holds for every node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Name of the cluster.
    pub name: String,
    /// Name of the node where the API server is reached from inside the cluster's network.
    pub endpoint: String,
    /// Networks of pods, services and the API server.
    pub networking: Networking,
    /// Kubernetes feature gates for every component.
    pub feature_gates: BTreeMap<String, bool>,
    /// The API server's `--runtime-config`.
    pub runtime_config: BTreeMap<String, String>,
    /// Records requests to the API server. A policy that stands in a file must have been read before.
    pub audit: Option<Audit>,
    /// What is installed beside Kubernetes itself.
    pub add_ons: AddOns,
    /// Certificates (PEM) that every node trusts. Those that stand in files must have been read before.
    pub certificate_authorities: Vec<FileOrText>,
    /// Patches of every node's kubeadm documents.
    pub patches: Patches,
    /// Changes to every node's containerd configuration.
    pub containerd: containerd::Settings,
}

/// What holds for one node, beside what holds for its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// What the node does.
    pub role: Role,
    /// Labels of the Kubernetes node.
    pub labels: BTreeMap<String, String>,
    /// Taints of the Kubernetes node instead of those of its role.
    pub taints: Option<Vec<Taint>>,
    /// Patches of this node's kubeadm documents, after the cluster's.
    pub patches: Patches,
}

impl ClusterSettings {
    /// Takes them from a checked configuration that has its defaults.
    ///
    /// # Errors
    /// A patch cannot be parsed, or the cluster has no control plane.
    pub fn new(cluster: &Cluster) -> Result<Self, Error> {
        let patches = Patches::parse(
            "",
            &cluster.kubeadm_config_patches,
            &cluster.kubeadm_config_patches_json6902,
        );
        let mut networking = cluster.networking.clone();
        let published = cluster.published_api_server_addresses().into_iter();
        let names = &mut networking.api_server_cert_sans;
        names.extend(published.map(|address| address.to_string()));
        Ok(Self {
            name: cluster.name.clone(),
            endpoint: cluster.endpoint_node().ok_or(Error::NoControlPlane)?,
            networking,
            feature_gates: cluster.feature_gates.clone(),
            runtime_config: cluster.runtime_config.clone(),
            audit: cluster.audit.clone(),
            add_ons: cluster.add_ons.clone(),
            certificate_authorities: cluster.certificate_authorities.clone(),
            patches: patches.map_err(Error::Kubeadm)?,
            containerd: containerd::Settings::new(cluster)?,
        })
    }
}

impl NodeSettings {
    /// Takes them from a cluster's node; errors name the node by its `index` in the configuration.
    ///
    /// # Errors
    /// A patch cannot be parsed.
    pub fn new(index: usize, node: &Node) -> Result<Self, Error> {
        let patches = Patches::parse(
            &node_field(index),
            &node.kubeadm_config_patches,
            &node.kubeadm_config_patches_json6902,
        );
        Ok(Self {
            role: node.role.clone(),
            labels: node.labels.clone(),
            taints: node.taints.clone(),
            patches: patches.map_err(Error::Kubeadm)?,
        })
    }
}

/// What stands before the names of a node's fields in errors.
pub(crate) fn node_field(index: usize) -> String {
    format!("nodes[{index}].")
}
