//! What a creation would make, without making anything.
//!
//! An engine is asked what it is (root or not, which cgroups, which version its images have) where one
//! answers. Nothing else of the world is needed: addresses are those of a fresh network, and a
//! Kubernetes version may be given in place of an image.

mod display;
mod host;
mod image;
mod kubeconfig;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use kind_node::load_balancer::KUBECONFIG;

use crate::create::{
    Draft, Facts, Place, Way, balancer_file, check_cluster, check_host, make_plan,
};
use crate::event::{Event, Listener, Warning};
use crate::node::File;
use crate::plan::{KubernetesNode, NodeMap, NodePlan, Plan};
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
    /// What is known of each node, by its name.
    pub nodes: BTreeMap<String, DryNode>,
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
    /// Paths of keys, certificates and kubeconfigs, which are new each time.
    pub secret_files: Vec<String>,
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
    let (network, _) = network::name(host.engine_name, &settings.environment);
    let outside = (&settings.environment, network);
    let plan = make_plan(&cluster, outside, &subnets)?;
    let known = Known {
        plan: &plan,
        host: &host,
        assumptions,
    };
    let nodes = known.nodes()?;
    Ok(DryRun {
        engine: host.engine_name.to_owned(),
        subnets,
        nodes,
        kubeconfig: kubeconfig::entry(&plan)?,
        plan,
    })
}

/// Everything that files of nodes are made from.
struct Known<'a> {
    plan: &'a Plan,
    host: &'a Host,
    assumptions: &'a Assumptions,
}

impl<'a> Known<'a> {
    /// What is known of each node, by its name.
    fn nodes(&self) -> Result<NodeMap<DryNode>> {
        let plan = self.plan;
        let mut nodes: NodeMap<_> = addresses(plan)
            .into_iter()
            .map(|(name, addresses)| (name, DryNode::at(addresses)))
            .collect();
        let drafts = plan.kubernetes_nodes().into_iter();
        let drafts: NodeMap<_> = drafts
            .map(|node| {
                let draft = self.draft(node, &nodes[&node.plan.name])?;
                Ok((node.plan.name.clone(), draft))
            })
            .collect::<Result<_>>()?;
        let way = Way::choose(plan, &drafts)?;
        for (name, node) in &mut nodes {
            match drafts.get(name) {
                Some(draft) => self.fill(node, draft, &way)?,
                None => fill_balancer(node, plan),
            }
        }
        Ok(nodes)
    }

    fn draft(&self, node: KubernetesNode<'a>, known: &DryNode) -> Result<Draft<'a>> {
        let place = Place {
            ipv4: Some(known.ipv4),
            ipv6: Some(known.ipv6),
            engine: self.host.engine_name,
            host: &self.host.info,
        };
        Draft::new(&self.plan.kubernetes, node, self.image(node.plan)?, place)
    }

    fn fill(&self, node: &mut DryNode, draft: &Draft<'_>, way: &Way) -> Result<()> {
        let cluster = &self.plan.kubernetes;
        let containerd = || Ok(self.assumptions.containerd_config.clone());
        node.write(draft.files(cluster, containerd)?);
        node.write(draft.pod_network(cluster));
        node.write(way.start_document(draft));
        let path = kind_kubeadm::containerd::CONFIG_PATH;
        let patched = cluster.containerd.has_patches();
        if patched && !node.files.contains_key(path) {
            node.unknown_files.push(path.to_owned());
        }
        node.secret_files = secret_paths(&way.secrets(draft)?);
        node.kubernetes_version = Some(draft.facts.kubernetes_version().to_owned());
        Ok(())
    }

    fn image(&self, plan: &NodePlan) -> Result<Facts> {
        let given = self.assumptions.kubernetes_version.as_deref();
        image::facts(&plan.image, given, self.host.engine.as_deref())
    }
}

/// Whoever makes its kubeconfig.
fn fill_balancer(node: &mut DryNode, plan: &Plan) {
    node.write([balancer_file(plan)]);
    node.secret_files = vec![KUBECONFIG.to_owned()];
}

impl DryNode {
    fn at((ipv4, ipv6): (Ipv4Addr, Ipv6Addr)) -> Self {
        Self {
            kubernetes_version: None,
            ipv4,
            ipv6,
            files: BTreeMap::new(),
            unknown_files: Vec::new(),
            secret_files: Vec::new(),
        }
    }

    fn write(&mut self, files: impl IntoIterator<Item = File>) {
        let files = files.into_iter().map(|file| (file.path, file.text));
        self.files.extend(files);
    }
}

/// Paths of secrets, but not those that links lead to: their names are the moments they are made.
fn secret_paths(files: &[File]) -> Vec<String> {
    let links = files.iter().filter(|file| file.link);
    let targets: Vec<_> = links
        .map(|link| Path::new(&link.path).with_file_name(&link.text))
        .collect();
    let is_target = |file: &File| {
        targets
            .iter()
            .any(|target| *target == Path::new(&file.path))
    };
    let lasting = files.iter().filter(|file| !is_target(file));
    lasting.map(|file| file.path.clone()).collect()
}

/// Addresses in a fresh network, which go to nodes in the order of their names.
fn addresses(plan: &Plan) -> NodeMap<(Ipv4Addr, Ipv6Addr)> {
    let mut names: Vec<_> = plan.nodes.iter().map(|node| node.name.clone()).collect();
    names.sort_unstable();
    let places = (FIRST_NODE..).map(|place| {
        let ipv4 = u32::from(IPV4_BASE).saturating_add(place);
        let ipv6 = u128::from(IPV6_BASE).saturating_add(place.into());
        (ipv4.into(), ipv6.into())
    });
    names.into_iter().zip(places).collect()
}

#[cfg(test)]
mod tests;
