//! The files that are put into a node before it starts.

use kind_config::Cluster;
use kind_engine::{Engine, Info, Node};
use kind_kubeadm::{NodeFacts, containerd};
use kind_node::cni;

use super::facts::Facts;
use crate::bootstrap::KUBELET_FINALIZE;
use crate::error::Cause;
use crate::node::{File, read_file};
use crate::plan::NodePlan;
use crate::{Error, Result};

/// kubeadm's name for the phase that installs its cluster DNS.
const KUBEADM_DNS: &str = "addon/coredns";

/// What kubeadm's documents of a made node depend on.
pub(super) fn node_facts(
    plan: &NodePlan,
    image: &Facts,
    provider: &str,
    made: Option<&Node>,
    host: &Info,
) -> Result<NodeFacts> {
    let mut facts = NodeFacts::new(&plan.name, provider, &image.version).map_err(document_error)?;
    facts.ipv4 = made.and_then(|node| node.ipv4);
    facts.ipv6 = made.and_then(|node| node.ipv6);
    facts.rootless = host.rootless;
    facts.cgroup_v1 = !host.cgroup2;
    if image.dns.is_some() {
        for phase in [KUBEADM_DNS, KUBELET_FINALIZE] {
            facts.skip_phases.push(phase.to_owned());
        }
    }
    Ok(facts)
}

/// Every file of a node: kubeadm's documents, containerd's configuration if the user patches it, and
/// the pod network's, which must stand before the kubelet looks for it.
pub(super) fn files(
    cluster: &Cluster,
    plan: &NodePlan,
    facts: &NodeFacts,
    engine: &dyn Engine,
) -> Result<Vec<File>> {
    let kubeadm = kind_kubeadm::render(cluster, facts).map_err(document_error)?;
    let mut files = vec![File::new(kind_kubeadm::CONFIG_PATH, kubeadm)];
    if containerd::has_patches(cluster) {
        let path = containerd::CONFIG_PATH;
        let config = read_file(engine, &plan.name, path)?;
        let patched = containerd::patch(&config, cluster).map_err(document_error)?;
        files.push(File::new(path, patched));
    }
    if !cluster.networking.disable_default_cni {
        files.push(File::new(cni::PATH, cni::conflist(&plan.pod_cidrs, None)));
    }
    Ok(files)
}

/// Wraps a failure to make a document.
pub(super) fn document_error(error: kind_kubeadm::Error) -> Error {
    let action = "failed to make the node's configuration";
    Error::Document {
        action: action.to_owned(),
        source: Cause::new("KIND-DOCUMENT", error),
    }
}
