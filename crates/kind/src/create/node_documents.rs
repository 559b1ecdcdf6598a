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
        let skip_phases = match known.image.dns {
            Some(_) => [KUBEADM_DNS, KUBELET_FINALIZE].map(str::to_owned).into(),
            None => Vec::new(),
        };
        let kubernetes = known.image.version.parse();
        let facts = NodeFacts {
            name: name.clone(),
            provider: provisioned.engine.to_owned(),
            ipv4: known.ipv4,
            ipv6: known.ipv6,
            rootless: provisioned.host.rootless,
            cgroup_v1: !provisioned.host.cgroup2,
            skip_phases,
            kubernetes: kubernetes.map_err(Error::document)?,
        };
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
