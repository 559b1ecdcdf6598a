//! The files that are put into a node before it starts.

use std::net::{Ipv4Addr, Ipv6Addr};

use kind_config::API_SERVER_PORT;
use kind_engine::Info;
use kind_kubeadm::{ClusterSettings, Documents, NodeFacts, NodeSettings, containerd};
use kind_node::cni;
use kind_node::load_balancer::{self, Settings};

use super::facts::Facts;
use crate::bootstrap::KUBELET_FINALIZE;
use crate::error::Cause;
use crate::node::File;
use crate::plan::{KubernetesNode, NodePlan, Plan};
use crate::{Error, Result};

/// kubeadm's name for the phase that installs its cluster DNS.
const KUBEADM_DNS: &str = "addon/coredns";

/// What is known of a node's surroundings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// IPv4 address on the cluster's network.
    pub(crate) ipv4: Option<Ipv4Addr>,
    /// IPv6 address there.
    pub(crate) ipv6: Option<Ipv6Addr>,
    /// Name of the engine.
    pub(crate) engine: &'a str,
    /// What the engine says of the host.
    pub(crate) host: &'a Info,
}

/// A node of which everything is known that its files are made from.
pub(crate) struct Draft<'a> {
    pub(crate) plan: &'a NodePlan,
    pub(crate) settings: &'a NodeSettings,
    /// What its image says.
    pub(crate) image: Facts,
    pub(crate) facts: NodeFacts,
    pub(crate) documents: Documents,
}

impl<'a> Draft<'a> {
    /// Makes the node's documents.
    pub(crate) fn new(
        cluster: &ClusterSettings,
        KubernetesNode { plan, settings }: KubernetesNode<'a>,
        image: Facts,
        place: Place<'_>,
    ) -> Result<Self> {
        let mut facts =
            NodeFacts::new(&plan.name, place.engine, &image.version).map_err(document_error)?;
        facts.ipv4 = place.ipv4;
        facts.ipv6 = place.ipv6;
        facts.rootless = place.host.rootless;
        facts.cgroup_v1 = !place.host.cgroup2;
        if image.dns.is_some() {
            facts.skip_phases = [KUBEADM_DNS, KUBELET_FINALIZE].map(str::to_owned).into();
        }
        let documents = kind_kubeadm::patched(cluster, settings, &facts).map_err(document_error)?;
        Ok(Self {
            plan,
            settings,
            image,
            facts,
            documents,
        })
    }

    /// Every file of the node that is the same whenever it is made: kubeadm's documents, containerd's
    /// configuration if the user patches it, and what the configuration asks for beside them.
    ///
    /// `containerd` gives the node's configuration of containerd before the patches. Where it is not
    /// known the patched one is left out.
    pub(crate) fn files(
        &self,
        cluster: &ClusterSettings,
        containerd: impl FnOnce() -> Result<Option<String>>,
    ) -> Result<Vec<File>> {
        let mut files = vec![File::new(kind_kubeadm::CONFIG_PATH, self.documents.text())];
        if cluster.containerd.has_patches()
            && let Some(config) = containerd()?
        {
            let patched =
                containerd::patch(&config, &cluster.containerd).map_err(document_error)?;
            files.push(File::new(containerd::CONFIG_PATH, patched));
        }
        if let Some(policy) = kind_kubeadm::audit_policy(cluster, &self.settings.role) {
            files.push(File::new(kind_kubeadm::AUDIT_POLICY_PATH, policy));
        }
        let more = containerd::registry_files(&cluster.containerd)
            .into_iter()
            .chain(kind_kubeadm::trust_files(cluster));
        files.extend(more.map(|(path, text)| File::new(path, text)));
        Ok(files)
    }

    /// The pod network's file, which must stand before the kubelet looks for it. It belongs into every
    /// node if the image of the first one says so ([`Facts::brings_kindnet`]).
    pub(crate) fn pod_network(&self, cluster: &ClusterSettings) -> Option<File> {
        let wanted = !cluster.networking.disable_default_cni;
        wanted.then(|| File::new(cni::PATH, cni::conflist(&self.plan.pod_cidrs, None)))
    }
}

/// What the load balancer is told: whom it leads to.
pub(crate) fn balancer_file(plan: &Plan) -> File {
    let control_planes = plan.nodes.iter().filter(|node| node.is_control_plane());
    let mut names: Vec<_> = control_planes.map(|node| node.name.as_str()).collect();
    names.sort_unstable();
    let settings = Settings::new(API_SERVER_PORT, names);
    File::new(load_balancer::PATH, settings.text())
}

/// Wraps a failure to make a document.
pub(super) fn document_error(error: kind_kubeadm::Error) -> Error {
    let action = "failed to make the node's configuration";
    let place = error.place();
    Error::Document {
        action: action.to_owned(),
        source: Cause::new("KIND-DOCUMENT", error).at(place),
    }
}
