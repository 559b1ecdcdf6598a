//! The documents that kubeadm reads: the same five kinds for every node.

mod arguments;
mod gates;
mod kube_proxy;
mod kubeadm;
mod kubelet;
mod patched;

use kind_config::version::Version;
use kind_config::{KubeProxyMode, yaml};
use serde_json::Value;

use crate::{ClusterSettings, Error, NodeFacts, NodeSettings};
use gates::Gates;
pub use patched::{Documents, patched};

fn patched_values(
    cluster: &ClusterSettings,
    node: &NodeSettings,
    facts: &NodeFacts,
) -> Result<Vec<Value>, Error> {
    let mut documents = documents(cluster, node, facts)?;
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
/// As [`patched`], patches aside.
fn documents(
    cluster: &ClusterSettings,
    node: &NodeSettings,
    facts: &NodeFacts,
) -> Result<Vec<Value>, Error> {
    if facts.rootless && *facts.version() < Version::new(1, 22, 0) {
        return Err(Error::Rootless(facts.version().to_string()));
    }
    let gates = Gates::of(cluster, facts);
    let mut documents = kubeadm::documents(cluster, node, facts, &gates)?;
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
