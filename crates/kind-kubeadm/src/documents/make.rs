//! All documents of a node, in their order.

use kind_config::KubeProxyMode;
use kind_config::version::Version;
use serde_json::Value;

use super::gates::Gates;
use super::{kube_proxy, kubeadm, kubelet};
use crate::{ClusterSettings, Error, NodeFacts, NodeSettings};

/// A node's documents with the patches of its cluster and its own.
pub(super) fn patched_values(
    cluster: &ClusterSettings,
    node: &NodeSettings,
    facts: &NodeFacts,
) -> Result<Vec<Value>, Error> {
    let mut documents = make_documents(cluster, node, facts)?;
    for document in &mut documents {
        cluster.patches.apply(document).map_err(Error::Kubeadm)?;
        node.patches.apply(document).map_err(Error::Kubeadm)?;
        remove_helper_metadata(document);
    }
    Ok(documents)
}

/// A node's documents before any patch: ClusterConfiguration, InitConfiguration, JoinConfiguration,
/// KubeletConfiguration and, unless the cluster has no kube-proxy, KubeProxyConfiguration.
///
/// # Errors
/// As [`patched`](super::patched), patches aside.
pub(super) fn make_documents(
    cluster: &ClusterSettings,
    node: &NodeSettings,
    facts: &NodeFacts,
) -> Result<Vec<Value>, Error> {
    if facts.rootless && *facts.version() < Version::new(1, 22, 0) {
        return Err(Error::Rootless(facts.version().to_string()));
    }
    let gates = Gates::feature_gates(cluster, facts);
    let mut documents = kubeadm::kubeadm_documents(cluster, node, facts, &gates)?;
    documents.push(kubelet::kubelet_document(cluster, facts, &gates));
    if cluster.networking.kube_proxy_mode != KubeProxyMode::None {
        documents.push(kube_proxy::kube_proxy_document(cluster, facts, &gates));
    }
    Ok(documents)
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
