//! Requests of the other nodes: to start beside the first one, or to join it.

use kind_config::Role;
use kind_kubeadm::{NodeFacts, START_PATH, join_command, notes_runtime_at_node};
use kind_node::request::{KubeadmPhase, Request, Step, StepId};

use super::step;
use super::steps::{
    kubeadm_phase, kubeadm_phase_command, owned_words, prepare_step, run_titled, set_sysctls,
    wait_for_containerd,
};
use crate::node::NODE_AGENT;

/// The request of a node that has everything it needs to start without asking the cluster: its
/// certificates, kubeconfigs and start document. kubeadm stays the authority for what it runs.
pub(crate) fn start_request(
    facts: &NodeFacts,
    role: &Role,
    cri_socket: &str,
    writes_cni: bool,
) -> Request {
    let (manifests, id, title) = if role.is_control_plane() {
        let phase = |phase, words: &[&str]| kubeadm_phase(phase, words, START_PATH);
        let manifests = vec![
            phase(KubeadmPhase::Etcd, &["etcd", "local"]),
            phase(KubeadmPhase::ControlPlane, &["control-plane", "all"]),
        ];
        let id = StepId::Registration;
        (manifests, id, step::step_title(id).to_owned())
    } else {
        // Nothing more is to be done for a worker.
        (Vec::new(), step::JOIN, step::join_title(&facts.name))
    };
    let cri_socket = notes_runtime_at_node(facts.version()).then_some(cri_socket);
    let mut steps = Vec::from(prepare_step(manifests));
    steps.extend([
        start_kubelet(),
        run_titled(
            id,
            title,
            registration_command(facts, cri_socket, writes_cni),
            None,
        ),
    ]);
    Request { steps }
}

/// What is left for a control plane that has started alone, once the first node serves: labels and taints.
///
/// Before 1.22 `kubeadm join` also noted the addresses of API servers in a ConfigMap. Nothing reads the note
/// where the servers' pods bear their addresses, as they do since 1.19, and making it takes kubeadm as long as
/// a whole join.
pub(crate) fn mark_request(facts: &NodeFacts) -> Request {
    let argv = kubeadm_phase_command(&["mark-control-plane"], START_PATH);
    let marked = run_titled(step::JOIN, step::join_title(&facts.name), argv, None);
    Request {
        steps: vec![marked, joined_step()],
    }
}

/// The request that makes a node join the cluster. Control planes join one after the other, since etcd
/// takes its members one by one.
///
/// A kubelet that is to have a configuration of its own (`own_kubelet`) starts once more with that of the
/// node's start document: `kubeadm join` knows only the cluster's.
pub(crate) fn join_request(facts: &NodeFacts, own_kubelet: bool, writes_cni: bool) -> Request {
    let mut steps = vec![
        set_sysctls(),
        wait_for_containerd(),
        run_titled(
            step::JOIN,
            step::join_title(&facts.name),
            join_command(facts),
            None,
        ),
    ];
    steps.extend(own_kubelet.then(start_kubelet));
    steps.push(joined_step());
    if writes_cni {
        let id = StepId::Registration;
        let argv = registration_command(facts, None, true);
        steps.push(run_titled(id, step::step_title(id).to_owned(), argv, None));
    }
    Request { steps }
}

fn start_kubelet() -> Step {
    kubeadm_phase(KubeadmPhase::KubeletStart, &["kubelet-start"], START_PATH)
}

fn joined_step() -> Step {
    Step::Mark { id: StepId::Joined }
}

/// Waits until the node is known to the cluster, and has its pod network use the addresses that the node
/// really got. The socket of the container runtime is noted where `kubeadm join` notes it.
fn registration_command(
    facts: &NodeFacts,
    cri_socket: Option<&str>,
    writes_cni: bool,
) -> Vec<String> {
    let mut argv = owned_words(&[NODE_AGENT, "await-registration", facts.name.as_str()]);
    argv.extend(cri_socket.map(|socket| format!("--cri-socket={socket}")));
    argv.extend(writes_cni.then(|| "--pod-network".to_owned()));
    argv
}
