//! kubeadm's documents of one node.

use kind_kubeadm::{Documents, NodeFacts, NodeSettings};

use super::provision::{Provisioned, ProvisionedNode};
use crate::bootstrap::KUBELET_FINALIZE;
use crate::plan::{KubernetesNode, NodePlan, Plan};
use crate::{Error, Result};

/// kubeadm's name for the phase that installs its cluster DNS.
const KUBEADM_DNS: &str = "addon/coredns";

/// kubeadm's documents of a node, with what they are made from.
pub(crate) struct NodeDocuments<'a> {
    pub(crate) plan: &'a NodePlan,
    pub(crate) settings: &'a NodeSettings,
    pub(crate) known: &'a ProvisionedNode,
    pub(crate) facts: NodeFacts,
    pub(crate) documents: Documents,
}

impl<'a> NodeDocuments<'a> {
    /// Makes them of what is wanted and what is known of the node.
    pub(super) fn new(
        plan: &Plan,
        node: KubernetesNode<'a>,
        provisioned: &'a Provisioned<'_>,
    ) -> Result<Self> {
        let name = &node.plan.name;
        let known = &provisioned.nodes[name];
        let facts = NodeFacts::new(name, provisioned.engine, &known.image.version);
        let mut facts = facts.map_err(Error::document)?;
        facts.ipv4 = known.ipv4;
        facts.ipv6 = known.ipv6;
        facts.rootless = provisioned.host.rootless;
        facts.cgroup_v1 = !provisioned.host.cgroup2;
        if known.image.dns.is_some() {
            facts.skip_phases = [KUBEADM_DNS, KUBELET_FINALIZE].map(str::to_owned).into();
        }
        let documents = kind_kubeadm::patched(&plan.kubernetes, node.settings, &facts);
        Ok(Self {
            plan: node.plan,
            settings: node.settings,
            known,
            documents: documents.map_err(Error::document)?,
            facts,
        })
    }
}
