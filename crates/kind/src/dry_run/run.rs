//! The stages of a creation up to the documents, for nodes that are supposed instead of made.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use kind_engine::Network;
use kind_kubeadm::BootstrapToken;
use kind_node::load_balancer::KUBECONFIG;

use super::host::Host;
use super::{image, kubeconfig};
use crate::create::{
    ClusterDocuments, NodeFiles, Provisioned, ProvisionedNode, check_cluster, check_host,
    make_documents, make_plan, use_image,
};
use crate::event::{Event, Listener, Warning};
use crate::node::File;
use crate::plan::{NodeMap, NodePlan, Plan};
use crate::provider::ProviderBuilder;
use crate::proxies::proxies_of_nodes;
use crate::{CancelToken, CreateCluster, Result, network};

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

impl ProviderBuilder {
    /// Says what creating a cluster would make, and makes nothing. No engine has to be there.
    ///
    /// ```
    /// use kind::{Assumptions, CreateCluster, EngineChoice, KubeconfigFiles, Provider};
    ///
    /// let two = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{}, {role: worker}]\n";
    /// let options = CreateCluster::new(KubeconfigFiles::one("/tmp/config")).config_text(two)?;
    /// let run = Provider::builder()
    ///     .engine(EngineChoice::Podman)
    ///     .dry_run(&options, &Assumptions::new(), &|_| {})?;
    /// assert_eq!(run.plan.nodes[1].name, "kind-worker");
    /// assert!(run.nodes["kind-worker"].files.contains_key("/kind/kubeadm.conf"));
    /// # Ok::<(), kind::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is wrong, [`Error::Document`] if a node's documents cannot
    /// be made, [`Error::UnknownVersion`] if the Kubernetes version of an image is not known.
    ///
    /// [`Error::Config`]: crate::Error::Config
    /// [`Error::Document`]: crate::Error::Document
    /// [`Error::UnknownVersion`]: crate::Error::UnknownVersion
    pub fn dry_run(
        &self,
        options: &CreateCluster,
        assumptions: &Assumptions,
        listener: Listener<'_>,
    ) -> Result<DryRun> {
        dry_run_cluster(self, options, assumptions, listener)
    }
}

/// Says what creating a cluster would make: the plan and the documents are made as a creation makes them, from nodes
/// that are supposed instead of made.
fn dry_run_cluster(
    settings: &ProviderBuilder,
    options: &CreateCluster,
    assumptions: &Assumptions,
    listener: Listener<'_>,
) -> Result<DryRun> {
    let host = Host::inspect_host(settings, listener);
    let mut cluster = options.resolve();
    if let Some(source) = options.source() {
        use_image(&mut cluster, &options.built_image(source));
    }
    check_host(&host.info, listener)?;
    if host.has_cluster(&cluster.name) {
        listener(Event::Warning(Warning::Exists(cluster.name.clone())));
    }
    check_cluster(options, &mut cluster, listener)?;
    let (network, _) = network::network_name(host.kind, &settings.environment);
    let network = Network {
        name: network.to_owned(),
        subnets: [IPV6_SUBNET, IPV4_SUBNET].map(str::to_owned).into(),
        lasting_addresses: true,
        warnings: Vec::new(),
    };
    let proxies = proxies_of_nodes(
        &settings.environment,
        &cluster.networking,
        &network,
        host.engine.as_deref(),
        &host.info,
    );
    for text in proxies.warnings {
        listener(Event::Warning(Warning::Host(text)));
    }
    let plan = make_plan(&cluster, &proxies.environment, &network)?;
    let addresses = assign_addresses(&plan);
    let provisioned = suppose_nodes(&plan, &addresses, &host, assumptions)?;
    let token = BootstrapToken::placeholder();
    let documents = make_documents(&plan, &provisioned, token, &CancelToken::new())?;
    for note in documents.notes() {
        listener(Event::Warning(Warning::Config(note.to_owned())));
    }
    Ok(DryRun {
        engine: host.kind.name().to_owned(),
        subnets: network.subnets,
        nodes: show_nodes(documents, addresses),
        kubeconfig: kubeconfig::kubeconfig_entry(&plan)?,
        plan,
    })
}

/// Nodes as they would be on a fresh network.
fn suppose_nodes<'a>(
    plan: &Plan,
    addresses: &NodeMap<Addresses>,
    host: &'a Host,
    assumptions: &Assumptions,
) -> Result<Provisioned<'a>> {
    let version = assumptions.kubernetes_version.as_deref();
    let nodes = plan.kubernetes_nodes().into_iter().map(|node| {
        let NodePlan { name, image, .. } = node.plan;
        let known = ProvisionedNode {
            ipv4: Some(addresses[name].ipv4),
            ipv6: Some(addresses[name].ipv6),
            image: image::read_image_facts(image, version, host.engine.as_deref())?,
            containerd: assumptions.containerd_config.clone(),
        };
        Ok((name.clone(), known))
    });
    Ok(Provisioned {
        engine: host.kind.name(),
        host: &host.info,
        nodes: nodes.collect::<Result<_>>()?,
    })
}

/// What is shown of each node.
fn show_nodes(
    documents: ClusterDocuments<'_>,
    addresses: NodeMap<Addresses>,
) -> BTreeMap<String, DryNode> {
    let ClusterDocuments {
        nodes, mut files, ..
    } = documents;
    let show = |(name, Addresses { ipv4, ipv6 })| {
        let NodeFiles {
            files,
            secrets,
            unknown,
            notes: _,
        } = files.remove(&name).unwrap_or_default();
        let documents = nodes.get(&name);
        let files = files.into_iter().map(|file| (file.path, file.text));
        let node = DryNode {
            kubernetes_version: documents.map(|node| node.facts.kubernetes_version().to_owned()),
            ipv4,
            ipv6,
            files: files.collect(),
            unknown_files: unknown.into_iter().map(str::to_owned).collect(),
            secret_files: match documents {
                Some(_) => secret_paths(&secrets),
                // Whoever makes it.
                None => vec![KUBECONFIG.to_owned()],
            },
        };
        (name, node)
    };
    addresses.into_iter().map(show).collect()
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

/// Addresses of a node.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    ipv4: Ipv4Addr,
    ipv6: Ipv6Addr,
}

/// Addresses in a fresh network, which go to nodes in the order of their names.
fn assign_addresses(plan: &Plan) -> NodeMap<Addresses> {
    let mut names: Vec<_> = plan.nodes.iter().map(|node| node.name.clone()).collect();
    names.sort_unstable();
    let addresses = (FIRST_NODE..).map(|place| Addresses {
        ipv4: u32::from(IPV4_BASE).saturating_add(place).into(),
        ipv6: u128::from(IPV6_BASE).saturating_add(place.into()).into(),
    });
    names.into_iter().zip(addresses).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
