//! What `create cluster --dry-run` gives.

use std::collections::BTreeMap;

use kind::{DryNode, DryRun, HostConfig, HostMount, NodePlan, Port};
use serde::Serialize;

use super::Document;

/// Of `create cluster --dry-run`: everything that would be made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    /// Name of the cluster.
    name: String,
    /// Name of the engine.
    engine: String,
    /// The network that nodes share.
    network: PlannedNetwork,
    /// Every image that is needed.
    images: Vec<String>,
    /// Name of the node where the API server is reached from inside the network.
    endpoint: String,
    /// Name of the control-plane node that is started first.
    bootstrap: String,
    /// Nodes in the order of the configuration, and last the load balancer if there is one.
    nodes: Vec<PlannedNode>,
    /// The user's kubeconfig entry as YAML text. Keys and certificates are `DATA+OMITTED`, and a port
    /// that the engine would choose is 0.
    kubeconfig: String,
}

/// A network that would be made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PlannedNetwork {
    /// Its name.
    name: String,
    /// The subnets it has if it is made now. An existing network keeps its own.
    subnets: Vec<String>,
}

/// A node that would be made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PlannedNode {
    /// Container name and host name.
    name: String,
    /// `control-plane`, `worker` or `external-load-balancer`.
    role: String,
    /// Image reference.
    image: String,
    /// Kubernetes version of the image; a load balancer has none.
    kubernetes_version: Option<String>,
    /// Addresses if the network is made now: IPv4, then IPv6.
    addresses: Vec<String>,
    /// Labels of the container.
    labels: BTreeMap<String, String>,
    /// Environment of the first process.
    environment: BTreeMap<String, String>,
    /// Host paths that the node shows.
    mounts: Vec<PlannedMount>,
    /// Ports that are published on the host.
    ports: Vec<PlannedPort>,
    /// How many CPUs it may use, a decimal number; null for all of the host's.
    cpus: Option<String>,
    /// Bytes of memory that it may use; null for all of the host's.
    memory_bytes: Option<u64>,
    /// The node's share of the pod subnets.
    pod_subnets: Vec<String>,
    /// Files that are written to the node: the exact content by the path.
    files: BTreeMap<String, String>,
    /// Paths of files that are written too, whose content depends on the node's image.
    unknown_files: Vec<String>,
    /// Paths of keys, certificates and kubeconfigs that are written too, new ones each time.
    secret_files: Vec<String>,
}

/// A host path that a node shows.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PlannedMount {
    /// Absolute path on the host.
    host_path: String,
    /// Path in the node.
    container_path: String,
    /// No writes.
    read_only: bool,
    /// Relabel for SELinux.
    selinux_relabel: bool,
    /// `None`, `HostToContainer` or `Bidirectional`.
    propagation: String,
}

/// A published port.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PlannedPort {
    /// Address on the host.
    listen_address: String,
    /// Port on the host; 0 is chosen when the node is made.
    host_port: u16,
    /// Port in the node.
    container_port: u16,
    /// `TCP`, `UDP` or `SCTP`.
    protocol: String,
}

impl Document for Plan {
    const KIND: &'static str = "Plan";
}

impl From<DryRun> for Plan {
    fn from(mut run: DryRun) -> Self {
        let images = run.plan.images().into_iter().map(str::to_owned).collect();
        let nodes = run.plan.nodes.into_iter().filter_map(|node| {
            let known = run.nodes.remove(&node.name)?;
            Some(PlannedNode::new(node, known))
        });
        let nodes = nodes.collect();
        Self {
            name: run.plan.cluster,
            engine: run.engine,
            network: PlannedNetwork {
                name: run.plan.network,
                subnets: run.subnets,
            },
            images,
            endpoint: run.plan.endpoint,
            bootstrap: run.plan.bootstrap,
            nodes,
            kubeconfig: run.kubeconfig,
        }
    }
}

impl PlannedNode {
    fn new(plan: NodePlan, known: DryNode) -> Self {
        let HostConfig {
            mounts,
            ports,
            resources,
        } = plan.host;
        Self {
            name: plan.name,
            role: plan.role.to_string(),
            image: plan.image,
            kubernetes_version: known.kubernetes_version,
            addresses: vec![known.ipv4.to_string(), known.ipv6.to_string()],
            labels: plan.labels,
            environment: plan.env,
            mounts: mounts.into_iter().map(PlannedMount::from).collect(),
            ports: ports.iter().map(PlannedPort::from).collect(),
            cpus: resources.cpus(),
            memory_bytes: resources.memory_bytes,
            pod_subnets: plan.pod_cidrs,
            files: known.files,
            unknown_files: known.unknown_files,
            secret_files: known.secret_files,
        }
    }
}

impl From<HostMount> for PlannedMount {
    fn from(mount: HostMount) -> Self {
        let HostMount {
            host,
            container,
            read_only,
            selinux_relabel,
            propagation,
        } = mount;
        Self {
            host_path: host.display().to_string(),
            container_path: container.display().to_string(),
            read_only,
            selinux_relabel,
            propagation: propagation.as_str().to_owned(),
        }
    }
}

impl From<&Port> for PlannedPort {
    fn from(port: &Port) -> Self {
        let Port {
            listen,
            host,
            container,
            protocol,
            changing: _,
        } = port;
        Self {
            listen_address: listen.to_string(),
            host_port: *host,
            container_port: *container,
            protocol: protocol.as_str().to_owned(),
        }
    }
}
