//! From a checked configuration to the plan.

use std::collections::BTreeMap;

use kind_config::{Cluster, FileOrText, Node, ResourceLimits, Role};
use kind_engine::{CLUSTER_LABEL, HostConfig, Port, ROLE_LABEL};
use kind_kubeadm::{ClusterSettings, Error, NodeSettings};

use super::{NodePlan, NodeRole, Plan, Surroundings, UserManifest, mounts, ports, proxy};
use crate::{contents, subnet};

/// Handed on to every node: it chooses how containerd keeps its images.
const SNAPSHOTTER_VARIABLE: &str = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER";

impl Plan {
    /// Plans a checked cluster that has all its defaults and the content of all its files. Whatever comes after
    /// takes the plan: it has everything of the configuration that is needed once nodes are made.
    ///
    /// # Errors
    /// A patch cannot be parsed, or the cluster has no control plane.
    pub(crate) fn new(cluster: &Cluster, surroundings: Surroundings<'_>) -> Result<Self, Error> {
        let names = cluster.node_names();
        let planner = Planner {
            cluster,
            surroundings,
            proxy: proxy::proxy_variables(cluster, surroundings, &names),
        };
        let nodes = names.into_iter().zip(&cluster.nodes).enumerate();
        let mut nodes = nodes
            .map(|(index, (name, node))| planner.plan_node(index, name, node))
            .collect::<Result<Vec<_>, _>>()?;
        nodes.extend(planner.plan_load_balancer());
        let kubernetes = ClusterSettings::new(cluster)?;
        let manifests = cluster.manifests.iter().enumerate();
        Ok(Self {
            cluster: cluster.name.clone(),
            network: surroundings.network.name.clone(),
            lasting_addresses: surroundings.network.lasting_addresses,
            endpoint: kubernetes.endpoint.clone(),
            bootstrap: cluster.bootstrap_node().ok_or(Error::NoControlPlane)?,
            nodes,
            kubernetes,
            manifests: manifests
                .map(|(index, content)| plan_manifest(index, content))
                .collect(),
        })
    }
}

/// Every port that the cluster publishes on the host.
pub(crate) fn published_ports(cluster: &Cluster) -> Vec<Port> {
    let nodes = cluster.nodes.iter();
    let ports = nodes.flat_map(|node| ports::published_ports(cluster, node));
    let balancer = cluster
        .load_balancer()
        .map(|_| ports::endpoint_port(cluster));
    ports.chain(balancer).collect()
}

fn plan_manifest(index: usize, content: &FileOrText) -> UserManifest {
    UserManifest {
        name: contents::content_name(content, &format!("manifests[{index}]")),
        text: content.text.clone(),
    }
}

/// What nodes are planned from.
struct Planner<'a> {
    cluster: &'a Cluster,
    surroundings: Surroundings<'a>,
    /// The host's proxy settings.
    proxy: BTreeMap<String, String>,
}

impl Planner<'_> {
    /// Plans the node at an index of the configuration.
    fn plan_node(&self, index: usize, name: String, node: &Node) -> Result<NodePlan, Error> {
        let role = NodeRole::from(&node.role);
        let networking = &self.cluster.networking;
        Ok(NodePlan {
            name,
            role,
            image: node.image.clone(),
            labels: self.node_labels(role),
            env: self.node_environment(node),
            host: HostConfig {
                mounts: mounts::shown_mounts(node, self.surroundings.directory),
                ports: ports::published_ports(self.cluster, node),
                resources: node.resources.limits(),
            },
            pod_cidrs: subnet::pod_cidrs(&networking.pod_subnet, index),
            ipv6: networking.ip_family.has_ipv6(),
            kubernetes: Some(NodeSettings::new(index, node)?),
        })
    }

    /// Plans the load balancer in front of several control planes. It is no Kubernetes node, and needs no image
    /// of its own: the program comes into every node.
    fn plan_load_balancer(&self) -> Option<NodePlan> {
        let name = self.cluster.load_balancer()?;
        let mut nodes = self.cluster.nodes.iter();
        let node = nodes.find(|node| node.role == Role::ControlPlane)?;
        let mut env = self.proxy.clone();
        env.extend(self.search_domains());
        Some(NodePlan {
            name,
            role: NodeRole::LoadBalancer,
            image: node.image.clone(),
            labels: self.node_labels(NodeRole::LoadBalancer),
            env,
            host: HostConfig {
                mounts: Vec::new(),
                ports: vec![ports::endpoint_port(self.cluster)],
                resources: ResourceLimits::default(),
            },
            pod_cidrs: Vec::new(),
            ipv6: self.cluster.networking.ip_family.has_ipv6(),
            kubernetes: None,
        })
    }

    fn node_labels(&self, role: NodeRole) -> BTreeMap<String, String> {
        let pairs = [
            (CLUSTER_LABEL, self.cluster.name.as_str()),
            (ROLE_LABEL, role.as_str()),
        ];
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// The variable that tells a container which domains to search.
    fn search_domains(&self) -> Option<(String, String)> {
        let domains = self.cluster.networking.dns_search.as_ref()?;
        Some(("KIND_DNS_SEARCH".to_owned(), domains.join(" ")))
    }

    fn node_environment(&self, node: &Node) -> BTreeMap<String, String> {
        let mut variables = self.proxy.clone();
        if let Some(value) = self.surroundings.environment.get(SNAPSHOTTER_VARIABLE) {
            variables.insert(SNAPSHOTTER_VARIABLE.to_owned(), value.clone());
        }
        variables.extend(self.search_domains());
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
}
