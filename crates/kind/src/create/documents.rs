//! The files that are put into a node before it starts.

use std::net::{Ipv4Addr, Ipv6Addr};

use kind_config::Cluster;
use kind_engine::Info;
use kind_kubeadm::{NodeFacts, containerd};
use kind_node::cni;

use super::facts::Facts;
use crate::bootstrap::KUBELET_FINALIZE;
use crate::error::Cause;
use crate::node::File;
use crate::plan::NodePlan;
use crate::{Error, Result};

/// kubeadm's name for the phase that installs its cluster DNS.
const KUBEADM_DNS: &str = "addon/coredns";

/// What kubeadm's documents of a node depend on.
pub(crate) fn node_facts(
    name: &str,
    image: &Facts,
    (ipv4, ipv6): (Option<Ipv4Addr>, Option<Ipv6Addr>),
    (provider, host): (&str, &Info),
) -> Result<NodeFacts> {
    let mut facts = NodeFacts::new(name, provider, &image.version).map_err(document_error)?;
    facts.ipv4 = ipv4;
    facts.ipv6 = ipv6;
    facts.rootless = host.rootless;
    facts.cgroup_v1 = !host.cgroup2;
    if image.dns.is_some() {
        for phase in [KUBEADM_DNS, KUBELET_FINALIZE] {
            facts.skip_phases.push(phase.to_owned());
        }
    }
    Ok(facts)
}

/// Every file of a node: kubeadm's documents, containerd's configuration if the user patches it, what
/// the configuration asks for beside them, and the pod network's, which must stand before the kubelet
/// looks for it.
///
/// `containerd` gives the node's configuration of containerd before the patches. Where it is not known
/// the patched one is left out.
pub(crate) fn files(
    cluster: &Cluster,
    plan: &NodePlan,
    facts: &NodeFacts,
    containerd: impl FnOnce() -> Result<Option<String>>,
) -> Result<Vec<File>> {
    let kubeadm = kind_kubeadm::render(cluster, facts).map_err(document_error)?;
    let mut files = vec![File::new(kind_kubeadm::CONFIG_PATH, kubeadm)];
    if containerd::has_patches(cluster)
        && let Some(config) = containerd()?
    {
        let patched = containerd::patch(&config, cluster).map_err(document_error)?;
        files.push(File::new(containerd::CONFIG_PATH, patched));
    }
    let role = plan.role.parse().unwrap_or_else(|error| match error {});
    if let Some(policy) = kind_kubeadm::audit_policy(cluster, &role) {
        files.push(File::new(kind_kubeadm::AUDIT_POLICY_PATH, policy));
    }
    let more = containerd::registry_files(cluster)
        .into_iter()
        .chain(kind_kubeadm::trust_files(cluster));
    files.extend(more.map(|(path, text)| File::new(path, text)));
    if !cluster.networking.disable_default_cni {
        files.push(File::new(cni::PATH, cni::conflist(&plan.pod_cidrs, None)));
    }
    Ok(files)
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
