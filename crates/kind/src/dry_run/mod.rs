//! What a creation would make, without making anything.
//!
//! An engine is asked what it is (root or not, which cgroups, which version its images have) where one
//! answers. Nothing else of the world is needed: addresses are those of a fresh network, and a
//! Kubernetes version may be given in place of an image.

mod balancer;
mod display;
mod host;
mod image;
mod kubeconfig;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use kind_config::Cluster;

use crate::create::{Facts, check_cluster, check_host, files, make_plan, node_facts};
use crate::event::{Event, Listener, Warning};
use crate::plan::{NodePlan, Plan};
use crate::provider::ProviderBuilder;
use crate::{CreateCluster, Result, network};
use host::Host;

/// The subnets of a fresh network: the first that docker gives out, and the one that belongs to the
/// network's name.
const IPV4_SUBNET: &str = "172.18.0.0/16";
const IPV6_SUBNET: &str = "fc00:f853:ccd:e793::/64";
const IPV4_BASE: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 0);
const IPV6_BASE: Ipv6Addr = Ipv6Addr::new(0xfc00, 0xf853, 0xccd, 0xe793, 0, 0, 0, 0);
/// The network's first address is the host's.
const FIRST_NODE: u32 = 2;

/// What stands in for things that only a node could tell.
#[derive(Debug, Clone, Default)]
pub struct Assumptions {
    pub(crate) kubernetes_version: Option<String>,
    pub(crate) containerd_config: Option<String>,
}

/// What a creation would make. Printing it shows all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DryRun {
    /// Name of the engine.
    pub engine: String,
    /// The plan. The load balancer, if there is one, is its last node.
    pub plan: Plan,
    /// Subnets that the network has if it is made now.
    pub subnets: Vec<String>,
    /// What is known of each node, in the order of the plan.
    pub nodes: Vec<DryNode>,
    /// The user's kubeconfig entry. Keys and certificates are `DATA+OMITTED`, and a port that the engine
    /// would choose is 0.
    pub kubeconfig: String,
}

/// What is known of a node before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DryNode {
    /// Kubernetes version; a load balancer has none.
    pub kubernetes_version: Option<String>,
    /// Its IPv4 address if the network is fresh.
    pub ipv4: Ipv4Addr,
    /// Its IPv6 address if the network is fresh.
    pub ipv6: Ipv6Addr,
    /// Files that are written to it, by their paths.
    pub files: BTreeMap<String, String>,
    /// Paths of files whose content depends on what only the node's image can tell.
    pub unknown_files: Vec<String>,
}

impl Assumptions {
    /// Everything is asked of the images, as far as an engine has them.
    pub fn new() -> Self {
        Self::default()
    }

    /// The Kubernetes version of every image, for example `v1.36.1`.
    pub fn kubernetes_version(mut self, version: impl Into<String>) -> Self {
        self.kubernetes_version = Some(version.into());
        self
    }

    /// The text of `/etc/containerd/config.toml` in every image, which containerd patches change.
    pub fn containerd_config(mut self, text: impl Into<String>) -> Self {
        self.containerd_config = Some(text.into());
        self
    }
}

/// Says what creating a cluster would make.
pub(crate) fn run(
    settings: &ProviderBuilder,
    options: &CreateCluster,
    assumptions: &Assumptions,
    listener: Listener<'_>,
) -> Result<DryRun> {
    let host = Host::look(settings, listener);
    let mut cluster = options.resolve();
    if let Some(source) = options.source() {
        let image = options.built_image(source);
        cluster
            .nodes
            .iter_mut()
            .for_each(|node| node.image.clone_from(&image));
    }
    check_host(&host.info, listener)?;
    if host.has_cluster(&cluster.name) {
        listener(Event::Warning(Warning::Exists(cluster.name.clone())));
    }
    check_cluster(options, &mut cluster, listener)?;
    let subnets = [IPV6_SUBNET, IPV4_SUBNET].map(str::to_owned).to_vec();
    let balancer = Some(balancer::IMAGE);
    let (network, _) = network::name(host.engine_name, &settings.environment);
    let outside = (&settings.environment, network);
    let plan = make_plan(&cluster, outside, &subnets, balancer)?;
    let addresses = addresses(&plan);
    let known = Known {
        cluster: &cluster,
        host: &host,
        options,
        assumptions,
    };
    let nodes = plan
        .nodes
        .iter()
        .zip(addresses)
        .map(|(node, addresses)| known.node(node, addresses))
        .collect::<Result<_>>()?;
    Ok(DryRun {
        engine: host.engine_name.to_owned(),
        subnets,
        nodes,
        kubeconfig: kubeconfig::entry(&cluster, &plan)?,
        plan,
    })
}

/// Everything that files of nodes are made from.
struct Known<'a> {
    cluster: &'a Cluster,
    host: &'a Host,
    options: &'a CreateCluster,
    assumptions: &'a Assumptions,
}

impl Known<'_> {
    fn node(&self, plan: &NodePlan, (ipv4, ipv6): (Ipv4Addr, Ipv6Addr)) -> Result<DryNode> {
        let mut node = DryNode {
            kubernetes_version: None,
            ipv4,
            ipv6,
            files: BTreeMap::new(),
            unknown_files: Vec::new(),
        };
        if plan.role == kind_config::LOAD_BALANCER_ROLE {
            node.files = balancer::files(self.cluster);
            return Ok(node);
        }
        let image = self.image(plan)?;
        let host = (self.host.engine_name, &self.host.info);
        let facts = node_facts(&plan.name, &image, (Some(ipv4), Some(ipv6)), host)?;
        let containerd = || Ok(self.assumptions.containerd_config.clone());
        let files = files(self.cluster, plan, &facts, containerd)?;
        node.files = files
            .into_iter()
            .map(|file| (file.path, file.text))
            .collect();
        let path = kind_kubeadm::containerd::CONFIG_PATH;
        let patched = kind_kubeadm::containerd::has_patches(self.cluster);
        if patched && !node.files.contains_key(path) {
            node.unknown_files.push(path.to_owned());
        }
        node.kubernetes_version = Some(image.version);
        Ok(node)
    }

    fn image(&self, plan: &NodePlan) -> Result<Facts> {
        let given = self.assumptions.kubernetes_version.as_deref();
        let own = self.options.source().is_some();
        image::facts(&plan.image, given, own, self.host.engine.as_deref())
    }
}

/// Addresses in a fresh network, in the order of the plan; they go to nodes by their names.
fn addresses(plan: &Plan) -> Vec<(Ipv4Addr, Ipv6Addr)> {
    let mut names: Vec<_> = plan.nodes.iter().map(|node| &node.name).collect();
    names.sort_unstable();
    let place = |node: &NodePlan| {
        let before = names.partition_point(|name| *name < &node.name);
        let place = u32::try_from(before).unwrap_or(u32::MAX);
        let place = place.saturating_add(FIRST_NODE);
        let ipv4 = u32::from(IPV4_BASE).saturating_add(place);
        let ipv6 = u128::from(IPV6_BASE).saturating_add(place.into());
        (ipv4.into(), ipv6.into())
    };
    plan.nodes.iter().map(place).collect()
}

#[cfg(test)]
mod tests;
