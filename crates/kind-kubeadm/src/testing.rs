//! From a configuration to a node's documents in one call.

use kind_config::Cluster;

use crate::{ClusterSettings, Documents, Error, NodeFacts, NodeSettings};

pub(crate) fn cluster_settings(cluster: &Cluster) -> ClusterSettings {
    ClusterSettings::new(cluster).unwrap()
}

/// The settings of the node that has that name.
pub(crate) fn node_settings(cluster: &Cluster, name: &str) -> Result<NodeSettings, Error> {
    let mut names = cluster.node_names().into_iter();
    let index = names.position(|known| known == name).unwrap();
    NodeSettings::new(index, &cluster.nodes[index])
}

pub(crate) fn patched(cluster: &Cluster, facts: &NodeFacts) -> Result<Documents, Error> {
    let node = node_settings(cluster, &facts.name)?;
    crate::patched(&ClusterSettings::new(cluster)?, &node, facts)
}

pub(crate) fn render(cluster: &Cluster, facts: &NodeFacts) -> Result<String, Error> {
    patched(cluster, facts).map(|documents| documents.text())
}
