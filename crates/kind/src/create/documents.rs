//! From nodes that exist to the files that are put into them before they start.

use std::collections::BTreeSet;

use kind_config::ResourceLimits;
use kind_kubeadm::{BootstrapToken, containerd};
use kind_node::cni;

use super::balancer::load_balancer_file;
use super::node_documents::NodeDocuments;
use super::parallel;
use super::provision::Provisioned;
use super::strategy::BootstrapStrategy;
use crate::node::{File, NODE_AGENT};
use crate::plan::{NodeMap, Plan};
use crate::{CancelToken, Error, Result};

/// An addition to the kubelet's unit, on nodes that may use a part of their host only.
const SHOW_LIMITS_PATH: &str = "/etc/systemd/system/kubelet.service.d/20-kind-limits.conf";

/// What all nodes are started with.
pub(crate) struct ClusterDocuments<'a> {
    /// How the nodes come together.
    pub(crate) strategy: BootstrapStrategy,
    /// kubeadm's documents of every node that runs Kubernetes.
    pub(crate) nodes: NodeMap<NodeDocuments<'a>>,
    /// What is written into every node, the load balancer too.
    pub(crate) files: NodeMap<NodeFiles>,
    /// What the pod network writes into nodes is known.
    pub(crate) writes_cni: bool,
}

/// The files of a node.
#[derive(Debug, Default)]
pub(crate) struct NodeFiles {
    /// Those that are the same whenever they are made.
    pub(crate) files: Vec<File>,
    /// Keys, certificates and kubeconfigs: new ones each time.
    pub(crate) secrets: Vec<File>,
    /// Paths of files that cannot be made because the image's own are not known.
    pub(crate) unknown: Vec<&'static str>,
    /// What was made of what the user wants, as sentences.
    pub(crate) notes: Vec<String>,
}

/// Makes everything that is written into nodes before they start, with the token by which they may join. Nothing of the
/// world is asked.
///
/// # Errors
/// A node's documents cannot be made, or the caller does not want them any more.
pub(crate) fn make_documents<'a>(
    plan: &'a Plan,
    provisioned: &'a Provisioned<'_>,
    token: BootstrapToken,
    cancel: &CancelToken,
) -> Result<ClusterDocuments<'a>> {
    let nodes = parallel::run_for_each(&plan.kubernetes_nodes(), cancel, |node| {
        let documents = NodeDocuments::new(plan, *node, provisioned)?;
        Ok((node.plan.name.clone(), documents))
    })?;
    let mut nodes: NodeMap<_> = nodes.into_iter().collect();
    let strategy = BootstrapStrategy::choose_strategy(plan, &nodes, token)?;
    for node in nodes.values_mut() {
        strategy.skip_finished_phases(node);
        strategy.settle_discovery(node);
    }
    let first = nodes
        .get(&plan.bootstrap)
        .ok_or_else(|| Error::NoControlPlane(plan.cluster.clone()))?;
    let writes_cni =
        !plan.kubernetes.networking.disable_default_cni && first.known.image.brings_kindnet();
    let balancer = plan.balancer().map(|balancer| {
        let files = NodeFiles {
            files: vec![load_balancer_file(plan)],
            secrets: strategy.balancer_kubeconfig(first)?.into_iter().collect(),
            unknown: Vec::new(),
            notes: Vec::new(),
        };
        Ok((balancer.name.clone(), files))
    });
    let all: Vec<_> = nodes.values().collect();
    let files = parallel::run_for_each(&all, cancel, |node| {
        let files = node.make_files(plan, &strategy, writes_cni)?;
        Ok((node.plan.name.clone(), files))
    })?;
    Ok(ClusterDocuments {
        files: files.into_iter().chain(balancer.transpose()?).collect(),
        strategy,
        nodes,
        writes_cni,
    })
}

impl ClusterDocuments<'_> {
    /// What was made of what the user wants, each once.
    pub(crate) fn notes(&self) -> BTreeSet<&str> {
        let notes = self.files.values().flat_map(|files| &files.notes);
        notes.map(String::as_str).collect()
    }
}

impl NodeDocuments<'_> {
    /// kubeadm's documents, containerd's configuration if the user patches it, what the configuration asks for
    /// beside them, and what the node needs to start by the chosen strategy.
    fn make_files(
        &self,
        plan: &Plan,
        strategy: &BootstrapStrategy,
        writes_cni: bool,
    ) -> Result<NodeFiles> {
        let cluster = &plan.kubernetes;
        let (mut unknown, mut notes) = (Vec::new(), Vec::new());
        let mut files = vec![File::new(kind_kubeadm::CONFIG_PATH, self.documents.text())];
        if cluster.containerd.has_patches() {
            match &self.known.containerd {
                Some(config) => {
                    let patched = containerd::patch(config, &cluster.containerd);
                    let patched = patched.map_err(Error::document)?;
                    files.push(File::new(containerd::CONFIG_PATH, patched.text));
                    let more = patched.files.into_iter();
                    files.extend(more.map(|(path, text)| File::new(path, text)));
                    notes = patched.notes;
                }
                None => unknown.push(containerd::CONFIG_PATH),
            }
        }
        if let Some(policy) = kind_kubeadm::audit_policy(cluster, &self.settings.role) {
            files.push(File::new(kind_kubeadm::AUDIT_POLICY_PATH, policy));
        }
        let more = containerd::registry_files(&cluster.containerd)
            .into_iter()
            .chain(kind_kubeadm::trust_files(cluster));
        files.extend(more.map(|(path, text)| File::new(path, text)));
        if writes_cni {
            // It must stand before the kubelet looks for it.
            files.push(File::new(
                cni::PATH,
                cni::conflist(&self.plan.pod_cidrs, None),
            ));
        }
        if self.plan.host.resources != ResourceLimits::default() {
            files.push(File::new(SHOW_LIMITS_PATH, show_limits()));
        }
        files.extend(strategy.start_document(self));
        Ok(NodeFiles {
            files,
            secrets: strategy.node_secrets(self)?,
            unknown,
            notes,
        })
    }
}

/// Before every start of the kubelet, as what it shows ends with the node. kubeadm has systemd read units anew before
/// it starts the kubelet, so that the file also counts on a node that has booted without it.
fn show_limits() -> String {
    format!("[Service]\nExecStartPre={NODE_AGENT} show-limits\n")
}
