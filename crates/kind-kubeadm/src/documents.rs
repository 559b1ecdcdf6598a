//! The documents that kubeadm reads: the same five kinds for every node.

mod arguments;
mod gates;
mod kube_proxy;
mod kubeadm;
mod kubelet;
mod patched;

use kind_config::version::Version;
use kind_config::{Cluster, KubeProxyMode, Node, yaml};
use serde_json::Value;

use crate::patch::Patches;
use crate::{Error, NodeFacts, containerd};
use gates::Gates;
pub use patched::{Documents, patched};

/// Text of a node's `/kind/kubeadm.conf`: its documents with the cluster's and the node's patches.
///
/// # Errors
/// The node lacks an address, is not one of the cluster's, or cannot run its Kubernetes version
/// without root; or a patch cannot be parsed or applied.
pub fn render(cluster: &Cluster, facts: &NodeFacts) -> Result<String, Error> {
    patched(cluster, facts).map(|documents| documents.text())
}

fn patched_values(cluster: &Cluster, facts: &NodeFacts) -> Result<Vec<Value>, Error> {
    let (index, node) = facts.configuration(cluster)?;
    let of_cluster = patches_of_cluster(cluster)?;
    let of_node = patches_of_node(index, node)?;
    let mut documents = documents(cluster, facts)?;
    for document in &mut documents {
        of_cluster.apply(document).map_err(Error::Kubeadm)?;
        of_node.apply(document).map_err(Error::Kubeadm)?;
        remove_helper_metadata(document);
    }
    Ok(documents)
}

/// Checks that all patches of a cluster can be read: those of kubeadm's documents and those of
/// containerd's configuration. Whether they apply is known once there are nodes.
///
/// Returns what is wrong with each one that cannot.
pub fn check_patches(cluster: &Cluster) -> Vec<Error> {
    let mut problems = Patches::problems(
        "",
        &cluster.kubeadm_config_patches,
        &cluster.kubeadm_config_patches_json6902,
    );
    for (index, node) in cluster.nodes.iter().enumerate() {
        problems.extend(Patches::problems(
            &format!("nodes[{index}]."),
            &node.kubeadm_config_patches,
            &node.kubeadm_config_patches_json6902,
        ));
    }
    let mut errors: Vec<_> = problems.into_iter().map(Error::Kubeadm).collect();
    errors.extend(containerd::patch_problems(cluster));
    errors
}

fn patches_of_cluster(cluster: &Cluster) -> Result<Patches, Error> {
    Patches::parse(
        "",
        &cluster.kubeadm_config_patches,
        &cluster.kubeadm_config_patches_json6902,
    )
    .map_err(Error::Kubeadm)
}

fn patches_of_node(index: usize, node: &Node) -> Result<Patches, Error> {
    Patches::parse(
        &format!("nodes[{index}]."),
        &node.kubeadm_config_patches,
        &node.kubeadm_config_patches_json6902,
    )
    .map_err(Error::Kubeadm)
}

/// A node's documents before any patch: ClusterConfiguration, InitConfiguration, JoinConfiguration,
/// KubeletConfiguration and, unless the cluster has no kube-proxy, KubeProxyConfiguration.
///
/// # Errors
/// As [`render`], patches aside.
pub fn documents(cluster: &Cluster, facts: &NodeFacts) -> Result<Vec<Value>, Error> {
    if facts.rootless && *facts.version() < Version::new(1, 22, 0) {
        return Err(Error::Rootless(facts.version().to_string()));
    }
    let gates = Gates::of(cluster, facts);
    let mut documents = kubeadm::documents(cluster, facts, &gates)?;
    documents.push(kubelet::document(cluster, facts, &gates));
    if cluster.networking.kube_proxy_mode != KubeProxyMode::None {
        documents.push(kube_proxy::document(cluster, facts, &gates));
    }
    Ok(documents)
}

/// Writes documents as one stream.
pub(crate) fn join(documents: Vec<Value>) -> String {
    let documents: Vec<String> = documents
        .into_iter()
        .map(|document| yaml::emit(&document.into()))
        .collect();
    documents.join("---\n")
}

/// Removes `metadata.name: config`, by which users of old releases picked the document to patch and
/// which kubeadm does not know.
fn remove_helper_metadata(document: &mut Value) {
    let Some(document) = document.as_object_mut() else {
        return;
    };
    let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if metadata.get("name").is_some_and(|name| name == "config") {
        metadata.remove("name");
    }
    if metadata.is_empty() {
        document.remove("metadata");
    }
}

#[cfg(test)]
mod tests;
