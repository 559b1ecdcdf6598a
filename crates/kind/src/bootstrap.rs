//! What a node is asked to do once it runs: the steps from a booted node to a cluster.

use std::time::Duration;

use kind_config::Cluster;
use kind_kubeadm::{
    NodeFacts, control_plane_label, control_plane_taints, init_command, join_command,
};
use kind_node::request::{Request, Step};

use crate::node::AGENT;

/// Where kubeadm leaves the administrator's kubeconfig.
pub(crate) const ADMIN_CONFIG: &str = "/etc/kubernetes/admin.conf";

/// How long a booting node may take until containerd answers.
const BOOT_LIMIT: Duration = Duration::from_secs(120);
/// kubeadm's name for the phase that restarts the kubelet to use the certificate it rotates.
pub(crate) const KUBELET_FINALIZE: &str = "kubelet-finalize";
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// Names of steps, as they come back in events.
pub(crate) mod step {
    /// `kubeadm init`.
    pub(crate) const INIT: &str = "kubeadm init";
    /// `kubeadm join`, before the name of the node that joins.
    const JOIN: &str = "kubeadm join";
    /// Lets pods run on the only node.
    pub(crate) const TAINTS: &str = "remove control plane taint";
    /// Lets load balancers send traffic to the only node.
    pub(crate) const LABELS: &str = "remove control plane load balancer label";
    /// Pod network.
    pub(crate) const CNI: &str = "apply overlay network";
    /// Cluster DNS.
    pub(crate) const DNS: &str = "apply cluster DNS";
    /// Default storage.
    pub(crate) const STORAGE: &str = "add default storage class";
    /// Addresses of Services, where the pod network does not give them.
    pub(crate) const SERVICES: &str = "apply service addresses";
    /// The nodes' shares of the pod subnet.
    pub(crate) const POD_CIDRS: &str = "assign pod addresses";
    /// Has the pod network use the shares that a joined node really got.
    pub(crate) const FOLLOW: &str = "follow pod addresses";
    /// What kubeadm's last phase would do.
    pub(crate) const KUBELET: &str = "finalize the kubelet";
    /// The control plane is ready.
    pub(crate) const READY: &str = "wait for ready";

    /// The step that applies a manifest of the user's.
    pub(crate) fn manifest(name: &str) -> String {
        format!("apply {name}")
    }

    /// The step in which a node joins.
    pub(crate) fn join(node: &str) -> String {
        format!("{JOIN} {node}")
    }

    /// Whether a node joins in that step.
    pub(crate) fn is_join(step: &str) -> bool {
        step.starts_with(JOIN)
    }
}

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

/// The request that makes the first control plane of a cluster.
///
/// # Errors
/// The node's Kubernetes version is none.
pub(crate) fn init(
    cluster: &Cluster,
    facts: &NodeFacts,
    shares: &[Share<'_>],
    manifests: &Manifests,
) -> Result<Request, kind_kubeadm::Error> {
    let version = facts.kubernetes_version();
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
    if facts
        .skip_phases
        .iter()
        .any(|phase| phase == KUBELET_FINALIZE)
    {
        let argv = words(&[AGENT, "finalize-kubelet"]);
        together.push(vec![run(step::KUBELET, argv, None)]);
    }
    if cluster.nodes.len() == 1 {
        if cluster.nodes[0].taints.is_none() {
            together.push(vec![remove_taints(control_plane_taints(version)?)]);
        }
        together.push(vec![remove_label()]);
    }
    let mut steps = vec![
        wait_for_containerd(),
        Step::Together {
            sequences: vec![
                vec![
                    run(step::INIT, init_command(cluster, facts), None),
                    Step::Read {
                        path: ADMIN_CONFIG.to_owned(),
                    },
                    Step::Together {
                        sequences: together,
                    },
                ],
                vec![assign_pod_cidrs(shares)],
            ],
        },
    ];
    let more = manifests.more.iter();
    steps.extend(more.map(|(name, text)| apply(&step::manifest(name), "apply", text)));
    Ok(Request { steps })
}

/// The request that makes a node join the cluster.
pub(crate) fn join(facts: &NodeFacts, writes_cni: bool) -> Request {
    let mut steps = vec![
        wait_for_containerd(),
        run(&step::join(&facts.name), join_command(facts), None),
    ];
    if writes_cni {
        let argv = words(&[AGENT, "follow-pod-cidrs", facts.name.as_str()]);
        steps.push(run(step::FOLLOW, argv, None));
    }
    Request { steps }
}

/// The step that waits until the control plane is ready. It waits inside the node, where kubectl
/// watches and nothing polls.
///
/// # Errors
/// The Kubernetes version is none.
pub(crate) fn ready(version: &str, limit: Duration) -> Result<Step, kind_kubeadm::Error> {
    let mut argv = kubectl(&["wait", "node", "--for=condition=Ready"]);
    argv.push(format!("--selector={}", control_plane_label(version)?));
    argv.push(format!("--timeout={}s", limit.as_secs().max(1)));
    Ok(Step::Wait {
        name: step::READY.to_owned(),
        argv,
        timeout_ms: millis(limit),
    })
}

fn wait_for_containerd() -> Step {
    Step::WaitSocket {
        path: CONTAINERD_SOCKET.to_owned(),
        timeout_ms: millis(BOOT_LIMIT),
    }
}

/// Names of all steps of a request.
pub(crate) fn names(steps: &[Step]) -> Vec<&str> {
    let mut names = Vec::new();
    for step in steps {
        match step {
            Step::Run { name, .. } | Step::Wait { name, .. } => names.push(name.as_str()),
            Step::Together { sequences } => {
                names.extend(sequences.iter().flat_map(|sequence| self::names(sequence)));
            }
            _ => {}
        }
    }
    names
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

fn kubectl(arguments: &[&str]) -> Vec<String> {
    let mut argv = words(&["kubectl"]);
    argv.push(format!("--kubeconfig={ADMIN_CONFIG}"));
    argv.extend(words(arguments));
    argv
}

fn run(name: &str, argv: Vec<String>, stdin: Option<String>) -> Step {
    Step::Run {
        name: name.to_owned(),
        argv,
        stdin,
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
