//! Steps of a bootstrap: which there are, and what people read of them.

use kind_kubeadm::ObjectPhase;
use kind_node::request::{KubeadmPhase, StepId};

/// `kubeadm init`, or what of it is not done by other steps.
pub(crate) const INIT: StepId = StepId::Kubeadm(KubeadmPhase::Init);
/// A node joins, or what is left of that for one that started alone.
pub(crate) const JOIN: StepId = StepId::Kubeadm(KubeadmPhase::Join);

/// What of `kubeadm init` runs for itself.
pub(crate) const RECORDS: [StepId; 4] = [
    StepId::Kubeadm(KubeadmPhase::UploadConfig),
    StepId::Kubeadm(KubeadmPhase::MarkControlPlane),
    StepId::Kubeadm(KubeadmPhase::KubeProxy),
    StepId::Kubeadm(KubeadmPhase::CoreDns),
];

/// The step in which kubeadm makes the objects of one of its phases.
pub(crate) fn object_phase_step(phase: ObjectPhase) -> StepId {
    StepId::Kubeadm(match phase {
        ObjectPhase::UploadConfig => KubeadmPhase::UploadConfig,
        ObjectPhase::MarkControlPlane => KubeadmPhase::MarkControlPlane,
        ObjectPhase::KubeProxy => KubeadmPhase::KubeProxy,
        ObjectPhase::CoreDns => KubeadmPhase::CoreDns,
        ObjectPhase::Rest => KubeadmPhase::Init,
    })
}

/// What people read of a step. Joins and manifests have more to say than that, and what is about a path is named
/// after it.
pub(crate) fn step_title(id: StepId) -> &'static str {
    match id {
        StepId::Other => "work",
        StepId::Request => "request",
        StepId::Create => "make the node",
        StepId::Boot => "boot",
        StepId::Files => "copy files",
        StepId::SharedFile | StepId::AdminKubeconfig | StepId::BalancerKubeconfig => "read a file",
        StepId::MakeBalancerKubeconfig => "make the load balancer's kubeconfig",
        StepId::Sysctls => "set sysctls",
        StepId::ContainerRuntime => "wait for the container runtime",
        StepId::RuntimeVersions => "ask for the container runtime's versions",
        StepId::Kubeadm(phase) => kubeadm_title(phase),
        StepId::ApiServer => "wait for the new API server",
        StepId::ApiServerAnswer => "wait for the API server",
        StepId::Serves => "serve",
        StepId::Joined => "join",
        StepId::Registration => "wait for registration",
        StepId::TaintsAndLabels => "remove control plane taint and label",
        StepId::PodNetwork => "apply overlay network",
        StepId::ClusterDns => "apply cluster DNS",
        StepId::Storage => "add default storage class",
        StepId::ServiceAddresses => "apply service addresses",
        StepId::UserManifest => "apply",
        StepId::DefaultServiceAccount => "make the default service account",
        StepId::FirstPods => "wait for the first pods",
        StepId::PodCidrs => "assign pod addresses",
        StepId::FinalizeKubelet => "finalize the kubelet",
        StepId::ForgetToken => "remove the bootstrap token",
        StepId::NoteStop => "note the stop",
        StepId::Ready => "wait for ready",
    }
}

fn kubeadm_title(phase: KubeadmPhase) -> &'static str {
    match phase {
        KubeadmPhase::Init => "kubeadm init",
        KubeadmPhase::Etcd => "kubeadm etcd",
        KubeadmPhase::ControlPlane => "kubeadm control-plane",
        KubeadmPhase::KubeletStart => "kubeadm kubelet-start",
        KubeadmPhase::UploadConfig => "kubeadm upload-config",
        KubeadmPhase::MarkControlPlane => "kubeadm mark-control-plane",
        KubeadmPhase::KubeProxy => "kubeadm addon/kube-proxy",
        KubeadmPhase::CoreDns => "kubeadm addon/coredns",
        KubeadmPhase::Join => "kubeadm join",
    }
}

/// What a step does nothing but wait for: a component of the node's own, or of the cluster.
pub(crate) fn awaited_component(id: StepId) -> Option<&'static str> {
    match id {
        StepId::ContainerRuntime => Some("containerd"),
        StepId::ApiServer | StepId::ApiServerAnswer => Some("kube-apiserver"),
        StepId::Registration | StepId::FirstPods | StepId::PodCidrs | StepId::Ready => {
            Some("kubelet")
        }
        _ => None,
    }
}

/// What people read of the step in which a node joins.
pub(crate) fn join_title(node: &str) -> String {
    format!("{} {node}", step_title(JOIN))
}

/// What people read of the step that applies a manifest of the user's.
pub(crate) fn manifest_title(name: &str) -> String {
    format!("{} {name}", step_title(StepId::UserManifest))
}
