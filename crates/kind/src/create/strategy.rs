//! How the nodes of a cluster come together: all at once, or by joining the first.

use std::path::Path;

use kind_config::Role;
use kind_kubeadm::certificates::Authorities;
use kind_kubeadm::{BootstrapToken, START_PATH};
use kind_node::load_balancer;

use super::node_documents::NodeDocuments;
use crate::bootstrap::KUBELET_FINALIZE;
use crate::node::File;
use crate::plan::{NodeMap, Plan};
use crate::{Error, Result};

/// kubeadm's name for the phase that starts an etcd.
const KUBEADM_ETCD: &str = "etcd";
/// What kubeadm keeps in a node. A user who shows something of the host there has plans with it.
const KUBEADM_DIRECTORIES: [&str; 2] = ["/etc/kubernetes", "/var/lib/kubelet"];

/// How the nodes of a cluster come together.
pub(crate) struct BootstrapStrategy {
    /// Who makes the certificates; `None` leaves them to kubeadm.
    authorities: Option<Authorities>,
    /// The token by which nodes join; nothing takes it once the last one has.
    token: BootstrapToken,
    /// All nodes start at once; else they join once the first one serves.
    pub(super) at_once: bool,
    /// Nodes join the first one by the token.
    pub(super) has_joins: bool,
    /// The control plane that is started first, and then the others by name.
    pub(super) control_planes: Vec<String>,
    /// Nodes that join, and whose kubelets are to run otherwise than the first one's.
    own_kubelets: Vec<String>,
}

impl BootstrapStrategy {
    /// The fastest strategy that does everything as the user wants it.
    pub(crate) fn choose_strategy(
        plan: &Plan,
        nodes: &NodeMap<NodeDocuments<'_>>,
        token: BootstrapToken,
    ) -> Result<Self> {
        let mut control_planes: Vec<_> = nodes
            .values()
            .filter(|node| node.settings.role == Role::ControlPlane)
            .collect();
        control_planes.sort_by_key(|node| (node.plan.name != plan.bootstrap, &node.plan.name));
        let prepared = nodes.values().all(|node| {
            node.documents.can_be_prepared()
                && !node.plan.host.mounts.iter().any(covers_kubeadm_directory)
        });
        let one_version = control_planes
            .windows(2)
            .all(|pair| pair[0].facts.kubernetes_version() == pair[1].facts.kubernetes_version());
        let alone = nodes.values().all(|node| node.documents.can_start_alone());
        let authorities = prepared.then(Authorities::new).transpose();
        let name = |node: &&NodeDocuments<'_>| node.plan.name.clone();
        let at_once = prepared && one_version && alone && nodes.len() > 1;
        let mut own_kubelets = Vec::new();
        if let Some(first) = control_planes.first().filter(|_| !at_once) {
            let others = nodes.values();
            let others = others.filter(|node| !node.documents.has_kubelet_of(&first.documents));
            own_kubelets.extend(others.map(|node| name(&node)));
        }
        Ok(Self {
            authorities: authorities.map_err(Error::document)?,
            token,
            at_once,
            has_joins: !at_once && nodes.len() > 1,
            control_planes: control_planes.iter().map(name).collect(),
            own_kubelets,
        })
    }

    /// Whether nodes have certificates and kubeconfigs before they start.
    pub(super) fn is_prepared(&self) -> bool {
        self.authorities.is_some()
    }

    /// Whether several members of etcd start together.
    pub(super) fn has_etcd_of_several(&self) -> bool {
        self.at_once && self.control_planes.len() > 1
    }

    pub(super) fn is_first(&self, node: &str) -> bool {
        self.control_planes
            .first()
            .is_some_and(|first| first == node)
    }

    /// Whether the node joins, and its kubelet is to run otherwise than the first one's.
    pub(super) fn has_own_kubelet(&self, node: &str) -> bool {
        self.own_kubelets.iter().any(|name| name == node)
    }

    /// The name of the token of this creation.
    pub(super) fn token_id(&self) -> &str {
        self.token.id()
    }

    /// Has a node's documents say by what nodes join.
    pub(super) fn settle_discovery(&self, node: &mut NodeDocuments<'_>) {
        let authorities = self.authorities.as_ref();
        let digest = authorities.map(Authorities::cluster_digest);
        node.documents
            .settle_discovery(&self.token, digest.as_deref());
    }

    /// Has kubeadm leave out on the first node what is done already, or is done in another way.
    pub(super) fn skip_finished_phases(&self, node: &mut NodeDocuments<'_>) {
        if !self.is_first(&node.plan.name) {
            return;
        }
        let done = [
            (KUBELET_FINALIZE, self.is_prepared()),
            (KUBEADM_ETCD, self.has_etcd_of_several()),
        ];
        for (phase, _) in done.iter().filter(|(_, done)| *done) {
            let phases = &mut node.facts.skip_phases;
            if !phases.iter().any(|skipped| skipped == phase) {
                phases.push((*phase).to_owned());
            }
        }
    }

    /// What the load balancer asks the cluster with, where certificates are made beforehand.
    pub(crate) fn balancer_kubeconfig(&self, node: &NodeDocuments<'_>) -> Result<Option<File>> {
        let made = self.authorities.as_ref().map(|authorities| {
            let made = authorities.of_balancer(&node.documents, load_balancer::KUBECONFIG);
            made.map(File::from).map_err(Error::document)
        });
        made.transpose()
    }

    /// Keys, certificates and kubeconfigs that the node has before it starts: new ones each time.
    pub(crate) fn node_secrets(&self, node: &NodeDocuments<'_>) -> Result<Vec<File>> {
        let Some(authorities) = &self.authorities else {
            return Ok(Vec::new());
        };
        let (documents, facts) = (&node.documents, &node.facts);
        let is_first = self.is_first(&node.plan.name);
        let role = &node.settings.role;
        let made = if is_first || self.at_once {
            authorities
                .files(documents, facts, role)
                .map_err(Error::document)?
        } else if role.is_control_plane() {
            // What kubeadm expects on a control plane that is going to join; the rest it makes itself.
            authorities.shared()
        } else {
            Vec::new()
        };
        Ok(made.into_iter().map(File::from).collect())
    }

    /// The documents by which the node starts without asking the cluster, or its kubelet once more after it
    /// has joined; if it does either.
    pub(crate) fn start_document(&self, node: &NodeDocuments<'_>) -> Option<File> {
        let name = &node.plan.name;
        let alone = self.at_once && (!self.is_first(name) || self.has_etcd_of_several());
        (alone || self.has_own_kubelet(name)).then(|| {
            let names: Vec<_> = self.control_planes.iter().map(String::as_str).collect();
            let text = node
                .documents
                .start_text(&node.settings.role, &names, &node.facts);
            File::new(START_PATH, text)
        })
    }
}

fn covers_kubeadm_directory(mount: &crate::HostMount) -> bool {
    let target = &mount.container;
    KUBEADM_DIRECTORIES
        .iter()
        .map(Path::new)
        .any(|directory| target.starts_with(directory) || directory.starts_with(target))
}
