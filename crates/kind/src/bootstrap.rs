//! What nodes are asked to do once they run: the steps from booted nodes to a cluster.

mod first;
mod join;

use std::time::Duration;

use kind_kubeadm::control_plane_label;
use kind_node::request::Step;

use crate::node::AGENT;

pub(crate) use first::{First, Manifests, SERVES, Share};
pub(crate) use join::{JOINED, join, mark, start};

/// Where kubeadm leaves the administrator's kubeconfig.
pub(crate) const ADMIN_CONFIG: &str = "/etc/kubernetes/admin.conf";

/// What a control plane needs of the first one before it can join, where kubeadm made the certificates.
pub(crate) const SHARED_FILES: [&str; 8] = [
    "/etc/kubernetes/pki/ca.crt",
    "/etc/kubernetes/pki/ca.key",
    "/etc/kubernetes/pki/front-proxy-ca.crt",
    "/etc/kubernetes/pki/front-proxy-ca.key",
    "/etc/kubernetes/pki/sa.pub",
    "/etc/kubernetes/pki/sa.key",
    "/etc/kubernetes/pki/etcd/ca.crt",
    "/etc/kubernetes/pki/etcd/ca.key",
];

/// How long a booting node may take until containerd answers.
const BOOT_LIMIT: Duration = Duration::from_secs(120);
/// kubeadm's name for the phase that restarts the kubelet to use the certificate it rotates.
pub(crate) const KUBELET_FINALIZE: &str = "kubelet-finalize";
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// Names of steps, as they come back in events.
pub(crate) mod step {
    use kind_kubeadm::RecordPhase;

    /// `kubeadm init`, or what of it needs the API server.
    pub(crate) const INIT: &str = "kubeadm init";
    /// What of it runs for itself, by its phases.
    pub(crate) const RECORDS: [&str; 4] = [
        "kubeadm upload-config",
        "kubeadm mark-control-plane",
        "kubeadm addon/kube-proxy",
        "kubeadm addon/coredns",
    ];
    /// Settings of the node's kernel.
    pub(crate) const SYSCTLS: &str = "set sysctls";
    /// The API server takes objects.
    pub(crate) const SERVES: &str = "wait for the new API server";
    /// What kubeadm does on other nodes begins so; the name of the node follows.
    const JOIN: &str = "kubeadm join";
    /// kubeadm's phase that writes etcd's manifest.
    pub(crate) const ETCD: &str = "kubeadm etcd";
    /// kubeadm's phase that writes the control plane's manifests.
    pub(crate) const CONTROL_PLANE: &str = "kubeadm control-plane";
    /// kubeadm's phase that starts the kubelet.
    pub(crate) const START_KUBELET: &str = "kubeadm kubelet-start";
    /// The node is known to the cluster.
    pub(crate) const REGISTERED: &str = "wait for registration";
    /// Lets pods run on the only node, and load balancers send traffic to it.
    pub(crate) const MARKS: &str = "remove control plane taint and label";
    /// What runs containers tells its versions.
    pub(crate) const RUNTIME: &str = "ask for the container runtime's versions";
    /// Pod network.
    pub(crate) const CNI: &str = "apply overlay network";
    /// Cluster DNS.
    pub(crate) const DNS: &str = "apply cluster DNS";
    /// Default storage.
    pub(crate) const STORAGE: &str = "add default storage class";
    /// Addresses of Services, where the pod network does not give them.
    pub(crate) const SERVICES: &str = "apply service addresses";
    /// The load balancer's kubeconfig.
    pub(crate) const BALANCER: &str = "make the load balancer's kubeconfig";
    /// The account of ordinary pods.
    pub(crate) const ACCOUNT: &str = "make the default service account";
    /// The nodes' shares of the pod subnet.
    pub(crate) const POD_CIDRS: &str = "assign pod addresses";
    /// What kubeadm's last phase would do.
    pub(crate) const KUBELET: &str = "finalize the kubelet";
    /// The cluster knows that its nodes stop.
    pub(crate) const NOTE_STOP: &str = "note the stop";
    /// The API server answers.
    pub(crate) const ANSWERS: &str = "wait for the API server";
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

    /// The step in which kubeadm makes the objects of one of its phases.
    pub(crate) fn record(phase: RecordPhase) -> &'static str {
        let [upload_config, mark_control_plane, kube_proxy, core_dns] = RECORDS;
        match phase {
            RecordPhase::UploadConfig => upload_config,
            RecordPhase::MarkControlPlane => mark_control_plane,
            RecordPhase::KubeProxy => kube_proxy,
            RecordPhase::CoreDns => core_dns,
            RecordPhase::Rest => INIT,
        }
    }

    /// Whether kubeadm works in that step.
    pub(crate) fn is_kubeadm(step: &str) -> bool {
        step.starts_with("kubeadm ")
    }
}

/// The step that waits until the control plane is ready.
///
/// # Errors
/// The Kubernetes version is none.
pub(crate) fn ready(version: &str, limit: Duration) -> Result<Step, kind_kubeadm::Error> {
    let mut argv = words(&[AGENT, "await-nodes", control_plane_label(version)?]);
    argv.push(limit.as_secs().max(1).to_string());
    Ok(run(step::READY, argv, None))
}

/// The step that notes in the cluster that its nodes stop.
pub(crate) fn note_stop() -> Step {
    run(step::NOTE_STOP, words(&[AGENT, "note-stop"]), None)
}

/// The step that waits until a node that was started again is ready.
pub(crate) fn back(node: &str, limit: Duration) -> Step {
    let mut argv = words(&[AGENT, "await-ready", node]);
    argv.push(limit.as_secs().max(1).to_string());
    run(step::READY, argv, None)
}

/// The step that waits until the API server answers.
pub(crate) fn answers(limit: Duration) -> Step {
    Step::Wait {
        name: step::ANSWERS.to_owned(),
        argv: kubectl(&["get", "--raw=/readyz"]),
        timeout_ms: millis(limit),
    }
}

/// The step that sets what the node's kernel needs, whatever image the node is of: ours do it at every boot.
fn set_sysctls() -> Step {
    run(step::SYSCTLS, words(&[AGENT, "set-sysctls"]), None)
}

fn wait_for_containerd() -> Step {
    Step::WaitSocket {
        path: CONTAINERD_SOCKET.to_owned(),
        timeout_ms: millis(BOOT_LIMIT),
    }
}

/// Waits until the node is up, whose boot may still lay out `/var`, and writes the manifests of static pods. A
/// kubelet that runs before they are whole may not see one for 20 seconds.
fn prepare(manifests: Vec<Step>) -> [Step; 3] {
    let sequences = manifests.into_iter().map(|step| vec![step]).collect();
    [
        set_sysctls(),
        wait_for_containerd(),
        Step::Together { sequences },
    ]
}

/// The step that asks a node of an image which does not tell what runs its containers. One that cannot say
/// is not judged.
pub(crate) fn ask_runtime() -> Step {
    let script = "containerd --version; runc --version; true";
    run(step::RUNTIME, words(&["sh", "-c", script]), None)
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

/// One phase of `kubeadm init` with the documents at `config`.
fn kubeadm_phase(name: &str, phase: &[&str], config: &str) -> Step {
    let mut argv = words(&["kubeadm", "init", "phase"]);
    argv.extend(words(phase));
    argv.push(format!("--config={config}"));
    argv.push("--v=6".to_owned());
    run(name, argv, None)
}

fn kubectl(arguments: &[&str]) -> Vec<String> {
    kubectl_as(ADMIN_CONFIG, arguments)
}

fn kubectl_as(kubeconfig: &str, arguments: &[&str]) -> Vec<String> {
    let mut argv = words(&["kubectl"]);
    argv.push(format!("--kubeconfig={kubeconfig}"));
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
