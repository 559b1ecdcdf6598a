//! Steps that several requests have, and those that are a request alone.

use std::time::Duration;

use kind_node::request::{KubeadmPhase, Step, StepId};

use super::step;
use crate::node::NODE_AGENT;

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
const CONTAINERD_TIMEOUT: Duration = Duration::from_secs(120);
/// kubeadm's name for the phase that restarts the kubelet to use the certificate it rotates.
pub(crate) const KUBELET_FINALIZE: &str = "kubelet-finalize";
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// What makes a cluster ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readiness {
    /// So many nodes, with their pods.
    pub(crate) nodes: usize,
    /// Services have addresses that answer in the network of pods.
    pub(crate) service_address: bool,
}

/// The step that waits until the cluster is ready.
pub(crate) fn await_nodes_step(readiness: Readiness, limit: Duration) -> Step {
    let mut argv = owned_words(&[NODE_AGENT, "await-nodes"]);
    argv.push(limit.as_secs().max(1).to_string());
    argv.push(readiness.nodes.to_string());
    argv.extend(
        readiness
            .service_address
            .then(|| "--service-address".to_owned()),
    );
    run_step(StepId::Ready, argv, None)
}

/// The step that notes in the cluster that its nodes stop.
pub(crate) fn note_stop() -> Step {
    run_step(
        StepId::NoteStop,
        owned_words(&[NODE_AGENT, "note-stop"]),
        None,
    )
}

/// The step after which a bootstrap token lets nobody in any more.
pub(crate) fn forget_token_step(id: &str) -> Step {
    let argv = owned_words(&[NODE_AGENT, "forget-token", id]);
    run_step(StepId::ForgetToken, argv, None)
}

/// The step that waits until a node that was started again is ready.
pub(crate) fn await_ready_step(node: &str, limit: Duration) -> Step {
    let mut argv = owned_words(&[NODE_AGENT, "await-ready", node]);
    argv.push(limit.as_secs().max(1).to_string());
    run_step(StepId::Ready, argv, None)
}

/// The step that waits until the API server lets the administrator in, which is later than it answers.
pub(crate) fn await_api_server_step(limit: Duration) -> Step {
    Step::Wait {
        id: StepId::ApiServerAnswer,
        name: step::step_title(StepId::ApiServerAnswer).to_owned(),
        argv: kubectl_step(&["get", "--raw=/api/v1/nodes?limit=1"]),
        timeout_ms: as_millis(limit),
    }
}

/// The step that sets what the node's kernel needs, whatever image the node is of: ours do it at every boot.
pub(super) fn set_sysctls() -> Step {
    run_step(
        StepId::Sysctls,
        owned_words(&[NODE_AGENT, "set-sysctls"]),
        None,
    )
}

pub(super) fn wait_for_containerd() -> Step {
    Step::WaitSocket {
        id: StepId::ContainerRuntime,
        path: CONTAINERD_SOCKET.to_owned(),
        timeout_ms: as_millis(CONTAINERD_TIMEOUT),
    }
}

/// Waits until the node is up, whose boot may still lay out `/var`, and writes the manifests of static pods. A
/// kubelet that runs before they are whole may not see one for 20 seconds.
pub(super) fn prepare_step(manifests: Vec<Step>) -> [Step; 3] {
    let sequences = manifests.into_iter().map(|step| vec![step]).collect();
    [
        set_sysctls(),
        wait_for_containerd(),
        Step::Together { sequences },
    ]
}

/// The step that asks a node of an image which does not tell what runs its containers. One that cannot say
/// is not judged.
pub(super) fn ask_runtime() -> Step {
    let script = "containerd --version; runc --version; true";
    run_step(
        StepId::RuntimeVersions,
        owned_words(&["sh", "-c", script]),
        None,
    )
}

/// What the steps of a request are for.
pub(crate) fn step_ids(steps: &[Step]) -> Vec<StepId> {
    let ids = steps.iter().flat_map(|step| match step {
        Step::Run { id, .. }
        | Step::Wait { id, .. }
        | Step::WaitSocket { id, .. }
        | Step::Read { id, .. } => vec![*id],
        Step::Together { sequences } => {
            let sequences = sequences.iter();
            sequences.flat_map(|sequence| step_ids(sequence)).collect()
        }
        // Nothing is said of it that has to be recognised before it has happened.
        Step::Mark { .. } => Vec::new(),
    });
    ids.collect()
}

/// What people read of the programs of a request.
#[cfg(test)]
pub(crate) fn step_names(steps: &[Step]) -> Vec<&str> {
    let mut names = Vec::new();
    for step in steps {
        match step {
            Step::Run { name, .. } | Step::Wait { name, .. } => names.push(name.as_str()),
            Step::Together { sequences } => {
                names.extend(sequences.iter().flat_map(|sequence| step_names(sequence)));
            }
            Step::WaitSocket { .. } | Step::Read { .. } | Step::Mark { .. } => {}
        }
    }
    names
}

/// One phase of `kubeadm init` with the documents at `config`.
pub(super) fn kubeadm_phase(phase: KubeadmPhase, words: &[&str], config: &str) -> Step {
    let argv = kubeadm_phase_command(words, config);
    run_step(StepId::Kubeadm(phase), argv, None)
}

pub(super) fn kubeadm_phase_command(phase: &[&str], config: &str) -> Vec<String> {
    let mut argv = owned_words(&["kubeadm", "init", "phase"]);
    argv.extend(owned_words(phase));
    argv.push(format!("--config={config}"));
    argv.push("--v=6".to_owned());
    argv
}

/// A file that is told, for what its id says.
pub(super) fn read_step(id: StepId, path: &str) -> Step {
    let path = path.to_owned();
    Step::Read { id, path }
}

fn kubectl_step(arguments: &[&str]) -> Vec<String> {
    kubectl_as(ADMIN_CONFIG, arguments)
}

pub(super) fn kubectl_as(kubeconfig: &str, arguments: &[&str]) -> Vec<String> {
    let mut argv = owned_words(&["kubectl"]);
    argv.push(format!("--kubeconfig={kubeconfig}"));
    argv.extend(owned_words(arguments));
    argv
}

pub(super) fn run_step(id: StepId, argv: Vec<String>, stdin: Option<String>) -> Step {
    run_titled(id, step::step_title(id).to_owned(), argv, stdin)
}

/// Runs a program in a step that has more to say than what it is for.
pub(super) fn run_titled(
    id: StepId,
    title: String,
    argv: Vec<String>,
    stdin: Option<String>,
) -> Step {
    Step::Run {
        id,
        name: title,
        argv,
        stdin,
    }
}

pub(super) fn owned_words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
