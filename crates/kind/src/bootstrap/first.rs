//! The request of the node that makes the cluster.

use kind_config::Cluster;
use kind_kubeadm::{Documents, NodeFacts, START_PATH, control_plane_taints, init_command};
use kind_node::request::{Request, Step};

use super::{
    ADMIN_CONFIG, KUBELET_FINALIZE, kubeadm_phase, kubectl, run, step, wait_for_containerd, words,
};
use crate::node::AGENT;

/// Told when the first node serves, after the files that others need of it.
pub(crate) const SERVES: &str = "serves";

/// A node and its shares of the pod subnets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share<'a> {
    /// Its name.
    pub(crate) node: &'a str,
    /// Its shares.
    pub(crate) pod_cidrs: &'a [String],
}

/// Manifests that are applied to a new cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manifests {
    /// Pod network; `None` leaves it out.
    pub(crate) cni: Option<String>,
    /// Cluster DNS, for images that bring their own.
    pub(crate) dns: Option<String>,
    /// Addresses of Services; `None` leaves them to the pod network.
    pub(crate) services: Option<String>,
    /// Default storage; `None` leaves it out.
    pub(crate) storage: Option<String>,
    /// The user's, with what each is called in messages.
    pub(crate) more: Vec<(String, String)>,
}

/// What the first node's request is made from.
pub(crate) struct First<'a> {
    /// The cluster.
    pub(crate) cluster: &'a Cluster,
    /// The node.
    pub(crate) facts: &'a NodeFacts,
    /// Its documents.
    pub(crate) documents: &'a Documents,
    /// Pod addresses of all nodes that may register early.
    pub(crate) shares: &'a [Share<'a>],
    /// What is applied.
    pub(crate) manifests: &'a Manifests,
    /// Certificates and kubeconfigs stand in the node already.
    pub(crate) prepared: bool,
    /// etcd starts with other members, which only the node's start document names.
    pub(crate) etcd_of_several: bool,
    /// Files to tell when they are written.
    pub(crate) reads: &'a [&'a str],
}

impl First<'_> {
    /// The request.
    ///
    /// # Errors
    /// The node's Kubernetes version is none.
    pub(crate) fn request(&self) -> Result<Request, kind_kubeadm::Error> {
        let mut kubeadm = Vec::new();
        if self.etcd_of_several {
            kubeadm.push(kubeadm_phase(step::ETCD, &["etcd", "local"], START_PATH));
        }
        kubeadm.push(run(
            step::INIT,
            init_command(self.cluster, self.documents, self.facts),
            None,
        ));
        let reads = [ADMIN_CONFIG].iter().chain(self.reads);
        kubeadm.extend(reads.map(|path| Step::Read {
            path: (*path).to_owned(),
        }));
        kubeadm.push(Step::Mark {
            name: SERVES.to_owned(),
        });
        kubeadm.push(Step::Together {
            sequences: self.once_it_serves()?,
        });
        let mut steps = vec![
            wait_for_containerd(),
            Step::Together {
                sequences: vec![kubeadm, vec![assign_pod_cidrs(self.shares)]],
            },
        ];
        let more = self.manifests.more.iter();
        steps.extend(more.map(|(name, text)| apply(&step::manifest(name), "apply", text)));
        Ok(Request { steps })
    }

    /// What waits for nothing but the API server.
    fn once_it_serves(&self) -> Result<Vec<Vec<Step>>, kind_kubeadm::Error> {
        let manifests = self.manifests;
        let mut together = Vec::new();
        if let Some(storage) = &manifests.storage {
            together.push(vec![apply(step::STORAGE, "apply", storage)]);
        }
        if let Some(cni) = &manifests.cni {
            together.push(vec![apply(step::CNI, "create", cni)]);
        }
        if let Some(dns) = &manifests.dns {
            together.push(vec![apply(step::DNS, "apply", dns)]);
        }
        if let Some(services) = &manifests.services {
            together.push(vec![apply(step::SERVICES, "apply", services)]);
        }
        let mut skipped = self.facts.skip_phases.iter();
        if !self.prepared && skipped.any(|phase| phase == KUBELET_FINALIZE) {
            let argv = words(&[AGENT, "finalize-kubelet"]);
            together.push(vec![run(step::KUBELET, argv, None)]);
        }
        if self.cluster.nodes.len() == 1 {
            let version = self.facts.kubernetes_version();
            if self.cluster.nodes[0].taints.is_none() {
                together.push(vec![remove_taints(control_plane_taints(version)?)]);
            }
            together.push(vec![remove_label()]);
        }
        Ok(together)
    }
}

/// Waits beside kubeadm for nodes to be registered, and gives them their pod addresses at once.
fn assign_pod_cidrs(shares: &[Share<'_>]) -> Step {
    let mut argv = words(&[AGENT, "assign-pod-cidrs"]);
    let share = |share: &Share<'_>| format!("{}={}", share.node, share.pod_cidrs.join(","));
    argv.extend(shares.iter().map(share));
    run(step::POD_CIDRS, argv, None)
}

/// Lets pods run on the only node.
fn remove_taints(taints: &[&str]) -> Step {
    let mut argv = kubectl(&["taint", "nodes", "--all"]);
    argv.extend(taints.iter().map(|taint| format!("{taint}-")));
    run(step::TAINTS, argv, None)
}

fn remove_label() -> Step {
    const LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers-";
    run(
        step::LABELS,
        kubectl(&["label", "nodes", "--all", LABEL]),
        None,
    )
}

fn apply(name: &str, verb: &str, manifest: &str) -> Step {
    run(name, kubectl(&[verb, "-f", "-"]), Some(manifest.to_owned()))
}
