//! What a plan consists of.

use std::collections::BTreeMap;
use std::path::Path;

use kind_engine::{Agent, HostConfig, Network, NodeSpec, Purpose};
use kind_kubeadm::{ClusterSettings, NodeSettings};

use super::role::NodeRole;
use crate::node::NODE_AGENT;

/// Name of the network that nodes share.
pub const NETWORK: &str = "kind";

/// One value for each of several nodes, found by the node's name and never by its place in a list.
pub(crate) type NodeMap<T> = BTreeMap<String, T>;

/// Everything that will be made for a cluster. Printing it shows every node with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the network.
    pub network: String,
    /// Name of the node where the API server is reached from inside the network.
    pub endpoint: String,
    /// Name of the control-plane node that is started first.
    pub bootstrap: String,
    /// Nodes in the order of the configuration, and last the load balancer if there is one.
    pub nodes: Vec<NodePlan>,
    /// Nodes have their addresses before they start; otherwise they have them only while they run.
    pub(crate) lasting_addresses: bool,
    /// What Kubernetes is told on every node.
    pub(crate) kubernetes: ClusterSettings,
    /// The user's manifests.
    pub(crate) manifests: Vec<UserManifest>,
}

/// A manifest of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserManifest {
    /// What it is called in messages: its file, or its place in the configuration.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
}

/// One node that will be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodePlan {
    /// Container name and host name.
    pub name: String,
    /// What it does.
    pub role: NodeRole,
    /// Image reference.
    pub image: String,
    /// Labels of the container.
    pub labels: BTreeMap<String, String>,
    /// Environment of its first process.
    pub env: BTreeMap<String, String>,
    /// What it has of the host.
    pub host: HostConfig,
    /// Its share of the pod subnets.
    pub pod_cidrs: Vec<String>,
    /// Whether it needs IPv6.
    pub ipv6: bool,
    /// What Kubernetes is told on this node; `None` if it runs none.
    pub(crate) kubernetes: Option<NodeSettings>,
}

/// A planned node that runs Kubernetes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KubernetesNode<'a> {
    /// Its plan.
    pub(crate) plan: &'a NodePlan,
    /// What Kubernetes is told on it.
    pub(crate) settings: &'a NodeSettings,
}

/// What a plan depends on beside the cluster's configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The network that nodes share, with its subnets as far as they are known.
    pub(crate) network: &'a Network,
    /// Variables of the host's environment.
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// What relative host paths are relative to.
    pub(crate) directory: &'a Path,
}

impl Plan {
    /// The nodes that run Kubernetes.
    pub(crate) fn kubernetes_nodes(&self) -> Vec<KubernetesNode<'_>> {
        let nodes = self.nodes.iter().filter_map(|plan| {
            let settings = plan.kubernetes.as_ref()?;
            Some(KubernetesNode { plan, settings })
        });
        nodes.collect()
    }

    /// The load balancer, if there is one.
    pub(crate) fn balancer(&self) -> Option<&NodePlan> {
        self.nodes.iter().find(|node| node.is_balancer())
    }

    /// Every image that is needed, each once, sorted.
    pub fn images(&self) -> Vec<&str> {
        let mut images: Vec<_> = self.nodes.iter().map(|node| node.image.as_str()).collect();
        images.sort_unstable();
        images.dedup();
        images
    }
}

impl NodePlan {
    /// The node of that plan in the engine's words.
    pub(crate) fn node_spec(&self, plan: &Plan, agent: &Agent) -> NodeSpec {
        // Taken apart and put together whole: a field that is missing on either side does not compile.
        let Self {
            name,
            role,
            image,
            labels,
            env,
            host,
            pod_cidrs: _,
            ipv6,
            kubernetes: _,
        } = self;
        let (purpose, command) = match role {
            NodeRole::ControlPlane | NodeRole::Worker => (Purpose::Kubernetes, None),
            NodeRole::LoadBalancer => {
                let command = [NODE_AGENT, "load-balancer"].map(str::to_owned);
                (Purpose::LoadBalancer, Some(command.to_vec()))
            }
        };
        NodeSpec {
            name: name.clone(),
            image: image.clone(),
            labels: labels.clone(),
            network: plan.network.clone(),
            peers: plan.nodes.iter().map(|node| node.name.clone()).collect(),
            env: env.clone(),
            host: host.clone(),
            ipv6: *ipv6,
            node_agent: Some(agent.clone()),
            purpose,
            command,
        }
    }

    /// Whether an API server runs on it.
    pub(crate) fn is_control_plane(&self) -> bool {
        self.role == NodeRole::ControlPlane
    }

    /// Whether it is the load balancer, which is no Kubernetes node.
    pub(crate) fn is_balancer(&self) -> bool {
        self.role == NodeRole::LoadBalancer
    }
}
