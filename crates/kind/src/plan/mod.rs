//! The plan: everything that will be made for a cluster, as a value that knows nothing of how an
//! engine is called.

mod display;
mod mounts;
mod ports;
mod proxy;

use std::collections::BTreeMap;
use std::path::Path;

use kind_config::{Cluster, LOAD_BALANCER_ROLE, Role};
use kind_engine::{Agent, CLUSTER_LABEL, NodeSpec, Port, Purpose, ROLE_LABEL};

use crate::node::AGENT;
use crate::subnet;
pub use mounts::HostMount;
pub(crate) use proxy::with_client_settings;

/// Name of the network that nodes share.
pub const NETWORK: &str = "kind";
/// Handed on to every node: it chooses how containerd keeps its images.
const SNAPSHOTTER_VARIABLE: &str = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER";

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
}

/// One node that will be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodePlan {
    /// Container name and host name.
    pub name: String,
    /// Its role, for example `control-plane`.
    pub role: String,
    /// Image reference.
    pub image: String,
    /// Labels of the container.
    pub labels: BTreeMap<String, String>,
    /// Environment of its first process.
    pub env: BTreeMap<String, String>,
    /// Host paths it shows.
    pub mounts: Vec<HostMount>,
    /// Ports it publishes; host port 0 is chosen by the engine.
    pub ports: Vec<Port>,
    /// Its share of the pod subnets.
    pub pod_cidrs: Vec<String>,
    /// Whether it needs IPv6.
    pub ipv6: bool,
}

/// What a plan depends on beside the cluster's configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Name of the network that nodes share.
    pub(crate) network: &'a str,
    /// Variables of the host's environment.
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// What relative host paths are relative to.
    pub(crate) directory: &'a Path,
    /// The network's subnets as far as they are known.
    pub(crate) subnets: &'a [String],
}

impl Plan {
    /// Plans a checked cluster that has all its defaults.
    pub(crate) fn new(cluster: &Cluster, surroundings: Surroundings<'_>) -> Self {
        let names = cluster.node_names();
        let proxy = proxy::variables(cluster, surroundings, &names);
        let nodes = cluster
            .nodes
            .iter()
            .zip(&names)
            .enumerate()
            .map(|(index, (node, name))| NodePlan {
                name: name.clone(),
                role: node.role.to_string(),
                image: node.image.clone(),
                labels: labels(&cluster.name, node.role.as_str()),
                env: environment(cluster, node, surroundings, &proxy),
                mounts: mounts::shown(node, surroundings.directory),
                ports: ports::published(cluster, node),
                pod_cidrs: subnet::pod_cidrs(&cluster.networking.pod_subnet, index),
                ipv6: cluster.networking.ip_family.has_ipv6(),
            });
        let balancer = balancer(cluster, &proxy);
        Self {
            cluster: cluster.name.clone(),
            network: surroundings.network.to_owned(),
            endpoint: cluster.endpoint_node().unwrap_or_default(),
            bootstrap: cluster.bootstrap_node().unwrap_or_default(),
            nodes: nodes.chain(balancer).collect(),
        }
    }

    /// The nodes that run Kubernetes.
    pub(crate) fn kubernetes_nodes(&self) -> Vec<&NodePlan> {
        let nodes = self.nodes.iter();
        nodes.filter(|node| !node.is_balancer()).collect()
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
    /// The node in the engine's words.
    pub(crate) fn spec(&self, network: &str, agent: &Agent) -> NodeSpec {
        let mut spec = NodeSpec::default();
        spec.name.clone_from(&self.name);
        spec.image.clone_from(&self.image);
        spec.labels.clone_from(&self.labels);
        network.clone_into(&mut spec.network);
        spec.env.clone_from(&self.env);
        spec.mounts = self.mounts.iter().map(HostMount::spec).collect();
        spec.ports.clone_from(&self.ports);
        spec.ipv6 = self.ipv6;
        spec.kind_node = Some(agent.clone());
        if self.is_balancer() {
            spec.purpose = Purpose::LoadBalancer;
            spec.command = Some([AGENT, "load-balancer"].map(str::to_owned).to_vec());
        }
        spec
    }

    /// Whether an API server runs on it.
    pub(crate) fn is_control_plane(&self) -> bool {
        self.role == Role::ControlPlane.as_str()
    }

    /// Whether it is the load balancer, which is no Kubernetes node.
    pub(crate) fn is_balancer(&self) -> bool {
        self.role == LOAD_BALANCER_ROLE
    }
}

/// Every port that the cluster publishes on the host.
pub(crate) fn published_ports(cluster: &Cluster) -> Vec<Port> {
    let nodes = cluster.nodes.iter();
    let ports = nodes.flat_map(|node| ports::published(cluster, node));
    let balancer = cluster.load_balancer().map(|_| ports::endpoint(cluster));
    ports.chain(balancer).collect()
}

fn labels(cluster: &str, role: &str) -> BTreeMap<String, String> {
    let pairs = [(CLUSTER_LABEL, cluster), (ROLE_LABEL, role)];
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The load balancer in front of several control planes. It is no Kubernetes node, and needs no image
/// of its own: the program comes into every node.
fn balancer(cluster: &Cluster, proxy: &BTreeMap<String, String>) -> Option<NodePlan> {
    let name = cluster.load_balancer()?;
    let mut nodes = cluster.nodes.iter();
    let node = nodes.find(|node| node.role == Role::ControlPlane)?;
    let mut env = proxy.clone();
    env.extend(search_domains(cluster));
    Some(NodePlan {
        name,
        role: LOAD_BALANCER_ROLE.to_owned(),
        image: node.image.clone(),
        labels: labels(&cluster.name, LOAD_BALANCER_ROLE),
        env,
        mounts: Vec::new(),
        ports: vec![ports::endpoint(cluster)],
        pod_cidrs: Vec::new(),
        ipv6: cluster.networking.ip_family.has_ipv6(),
    })
}

/// The variable that tells a container which domains to search.
fn search_domains(cluster: &Cluster) -> Option<(String, String)> {
    let domains = cluster.networking.dns_search.as_ref()?;
    Some(("KIND_DNS_SEARCH".to_owned(), domains.join(" ")))
}

fn environment(
    cluster: &Cluster,
    node: &kind_config::Node,
    surroundings: Surroundings<'_>,
    proxy: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut variables = proxy.clone();
    if let Some(value) = surroundings.environment.get(SNAPSHOTTER_VARIABLE) {
        variables.insert(SNAPSHOTTER_VARIABLE.to_owned(), value.clone());
    }
    variables.extend(search_domains(cluster));
    if node.role == Role::ControlPlane {
        variables.insert(
            "KUBECONFIG".to_owned(),
            "/etc/kubernetes/admin.conf".to_owned(),
        );
    }
    // What the user says of this node counts most.
    variables.extend(node.env.clone());
    variables
}

#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod tests;
