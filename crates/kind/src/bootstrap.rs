//! What a node is asked to do once it runs: the steps from a booted node to a cluster.

use std::time::Duration;

use kind_config::Cluster;
use kind_kubeadm::{NodeFacts, control_plane_label, control_plane_taints, init_command};
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
    /// The node's share of the pod subnet.
    pub(crate) const POD_CIDRS: &str = "assign pod addresses";
    /// What kubeadm's last phase would do.
    pub(crate) const KUBELET: &str = "finalize the kubelet";
    /// The control plane is ready.
    pub(crate) const READY: &str = "wait for ready";
}

/// Manifests that are applied to a new cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manifests {
    /// Pod network; `None` leaves it out.
    pub(crate) cni: Option<String>,
    /// Cluster DNS, for images that bring their own.
    pub(crate) dns: Option<String>,
    /// Default storage.
    pub(crate) storage: String,
}

/// The request that makes the first control plane of a cluster.
///
/// # Errors
/// The node's Kubernetes version is none.
pub(crate) fn init(
    cluster: &Cluster,
    (facts, pod_cidrs): (&NodeFacts, &[String]),
    manifests: &Manifests,
    wait: Option<Duration>,
) -> Result<Request, kind_kubeadm::Error> {
    let version = facts.kubernetes_version();
    let mut together = vec![vec![apply(step::STORAGE, "apply", &manifests.storage)]];
    if let Some(cni) = &manifests.cni {
        together.push(vec![apply(step::CNI, "create", cni)]);
    }
    if let Some(dns) = &manifests.dns {
        together.push(vec![apply(step::DNS, "apply", dns)]);
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
        together.push(vec![remove_taints(control_plane_taints(version)?)]);
        together.push(vec![remove_label()]);
    }
    let mut steps = vec![
        Step::WaitSocket {
            path: CONTAINERD_SOCKET.to_owned(),
            timeout_ms: millis(BOOT_LIMIT),
        },
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
                vec![assign_pod_cidrs(facts, pod_cidrs)],
            ],
        },
    ];
    if let Some(limit) = wait {
        steps.push(wait_ready(control_plane_label(version)?, limit));
    }
    Ok(Request { steps })
}

/// Waits beside kubeadm for the node to be registered, and gives it its pod addresses at once.
fn assign_pod_cidrs(facts: &NodeFacts, pod_cidrs: &[String]) -> Step {
    let mut argv = words(&[AGENT, "assign-pod-cidrs", facts.name.as_str()]);
    argv.extend_from_slice(pod_cidrs);
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

/// Waits inside the node, where kubectl watches and nothing polls.
fn wait_ready(label: &str, limit: Duration) -> Step {
    let mut argv = kubectl(&["wait", "node", "--for=condition=Ready"]);
    argv.push(format!("--selector={label}"));
    argv.push(format!("--timeout={}s", limit.as_secs().max(1)));
    Step::Wait {
        name: step::READY.to_owned(),
        argv,
        timeout_ms: millis(limit),
    }
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
