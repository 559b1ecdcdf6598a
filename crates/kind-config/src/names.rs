//! Names of a cluster's nodes.

use std::collections::BTreeMap;

use crate::model::{Cluster, Role};

/// Port of the API server in control-plane nodes and in the load balancer.
pub const API_SERVER_PORT: u16 = 6443;

/// Role of the load balancer in front of several control planes, for labels and names.
pub const LOAD_BALANCER_ROLE: &str = "external-load-balancer";

/// Gives out the names of one cluster's nodes: `CLUSTER-ROLE`, then `CLUSTER-ROLE2` and so on.
#[derive(Debug, Clone)]
pub struct NodeNamer {
    cluster: String,
    counts: BTreeMap<String, usize>,
}

impl NodeNamer {
    /// Starts with a cluster that has no nodes.
    pub fn new(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            counts: BTreeMap::new(),
        }
    }

    /// Names the next node of a role.
    pub fn next(&mut self, role: &str) -> String {
        let count = self.counts.entry(role.to_owned()).or_default();
        *count += 1;
        let suffix = match *count {
            1 => String::new(),
            count => count.to_string(),
        };
        format!("{}-{role}{suffix}", self.cluster)
    }
}

impl Cluster {
    /// Names of the nodes, in the order of [`Cluster::nodes`].
    pub fn node_names(&self) -> Vec<String> {
        let mut namer = NodeNamer::new(&self.name);
        self.nodes
            .iter()
            .map(|node| namer.next(node.role.as_str()))
            .collect()
    }

    /// Name of the load balancer; there is one if there is more than one control plane.
    pub fn load_balancer(&self) -> Option<String> {
        let control_planes = self
            .nodes
            .iter()
            .filter(|node| node.role == Role::ControlPlane);
        (control_planes.count() > 1).then(|| NodeNamer::new(&self.name).next(LOAD_BALANCER_ROLE))
    }

    /// Name of the control-plane node that is started first: the smallest one. `None` without a
    /// control plane.
    pub fn bootstrap_node(&self) -> Option<String> {
        self.node_names()
            .into_iter()
            .zip(&self.nodes)
            .filter(|(_, node)| node.role == Role::ControlPlane)
            .map(|(name, _)| name)
            .min()
    }

    /// Name of the node where the API server is reached from inside the cluster's network: the load
    /// balancer if there is one, else the control plane.
    pub fn endpoint_node(&self) -> Option<String> {
        self.load_balancer().or_else(|| self.bootstrap_node())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Node;

    fn cluster(nodes: Vec<Node>) -> Cluster {
        Cluster {
            name: "ab1".into(),
            nodes,
            ..Cluster::default()
        }
    }

    #[test]
    fn counts_each_role_for_itself() {
        let mut namer = NodeNamer::new("ab1");
        let names = [
            "control-plane",
            "control-plane",
            "control-plane",
            LOAD_BALANCER_ROLE,
            "worker",
            "worker",
            "worker",
        ]
        .map(|role| namer.next(role));
        assert_eq!(
            names,
            [
                "ab1-control-plane",
                "ab1-control-plane2",
                "ab1-control-plane3",
                "ab1-external-load-balancer",
                "ab1-worker",
                "ab1-worker2",
                "ab1-worker3"
            ]
        );
    }

    #[test]
    fn finds_the_nodes_with_special_tasks() {
        let single = cluster(vec![Node::worker(), Node::control_plane()]);
        assert_eq!(single.node_names(), ["ab1-worker", "ab1-control-plane"]);
        assert_eq!(single.load_balancer(), None);
        assert_eq!(single.endpoint_node().as_deref(), Some("ab1-control-plane"));

        let several = cluster(vec![Node::control_plane(), Node::control_plane()]);
        assert_eq!(
            several.bootstrap_node().as_deref(),
            Some("ab1-control-plane")
        );
        assert_eq!(
            several.endpoint_node().as_deref(),
            Some("ab1-external-load-balancer")
        );
        assert_eq!(cluster(vec![Node::worker()]).endpoint_node(), None);
    }
}
