//! What steps are for.

use serde::{Deserialize, Deserializer, Serialize};

/// What a step is for. Callers recognise a step's events by it; names are for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepId {
    /// Nothing that anybody has to recognise, or something that this program does not know.
    #[default]
    Other,
    /// The request itself is read.
    Request,
    /// The node is made.
    Create,
    /// The node starts, until commands run in it.
    Boot,
    /// Files are put in place.
    Files,
    /// A file is told that other control planes need to join.
    SharedFile,
    /// The administrator's kubeconfig is told.
    AdminKubeconfig,
    /// The load balancer's kubeconfig is made.
    MakeBalancerKubeconfig,
    /// The load balancer's kubeconfig is told.
    BalancerKubeconfig,
    /// Settings of the node's kernel.
    Sysctls,
    /// What runs containers listens.
    ContainerRuntime,
    /// What runs containers tells its versions.
    RuntimeVersions,
    /// kubeadm works, or the node has what kubeadm gives it.
    Kubeadm(KubeadmPhase),
    /// The new API server takes objects.
    ApiServer,
    /// The API server answers users.
    ApiServerAnswer,
    /// The first node serves, and has told what others need of it.
    Serves,
    /// The node is known to the cluster.
    Registration,
    /// The node has joined, and needs nothing more for that.
    Joined,
    /// Lets pods run on the only node, and load balancers send traffic to it.
    TaintsAndLabels,
    /// Objects of the pod network.
    PodNetwork,
    /// Objects of the cluster DNS.
    ClusterDns,
    /// Objects of the default storage.
    Storage,
    /// Objects that give Services addresses, where the pod network does not.
    ServiceAddresses,
    /// Objects of one of the user's manifests.
    UserManifest,
    /// The account of ordinary pods.
    DefaultServiceAccount,
    /// The cluster shows pods.
    FirstPods,
    /// The nodes' shares of the pod subnet.
    PodCidrs,
    /// What kubeadm's last phase would do.
    FinalizeKubelet,
    /// The bootstrap token of the creation lets nobody in any more.
    ForgetToken,
    /// The cluster knows that its nodes stop.
    NoteStop,
    /// Nodes are ready.
    Ready,
}

/// What kubeadm does in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KubeadmPhase {
    /// `kubeadm init`, or what of it is not done by other phases.
    Init,
    /// Writes etcd's manifest.
    Etcd,
    /// Writes the control plane's manifests.
    ControlPlane,
    /// Starts the kubelet.
    KubeletStart,
    /// Keeps the configuration in the cluster.
    UploadConfig,
    /// Labels and taints the first control plane.
    MarkControlPlane,
    /// Installs kube-proxy.
    KubeProxy,
    /// Installs kubeadm's cluster DNS.
    CoreDns,
    /// `kubeadm join`, or what is left of it for a node that started alone.
    Join,
}

impl StepId {
    /// The word by which programs know it; it stays the same between releases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Request => "request",
            Self::Create => "create",
            Self::Boot => "boot",
            Self::Files => "files",
            Self::SharedFile => "sharedFile",
            Self::AdminKubeconfig => "adminKubeconfig",
            Self::MakeBalancerKubeconfig => "makeBalancerKubeconfig",
            Self::BalancerKubeconfig => "balancerKubeconfig",
            Self::Sysctls => "sysctls",
            Self::ContainerRuntime => "containerRuntime",
            Self::RuntimeVersions => "runtimeVersions",
            Self::Kubeadm(phase) => phase.as_str(),
            Self::ApiServer => "apiServer",
            Self::ApiServerAnswer => "apiServerAnswer",
            Self::Serves => "serves",
            Self::Registration => "registration",
            Self::Joined => "joined",
            Self::TaintsAndLabels => "taintsAndLabels",
            Self::PodNetwork => "podNetwork",
            Self::ClusterDns => "clusterDns",
            Self::Storage => "storage",
            Self::ServiceAddresses => "serviceAddresses",
            Self::UserManifest => "userManifest",
            Self::DefaultServiceAccount => "defaultServiceAccount",
            Self::FirstPods => "firstPods",
            Self::PodCidrs => "podCidrs",
            Self::FinalizeKubelet => "finalizeKubelet",
            Self::ForgetToken => "forgetToken",
            Self::NoteStop => "noteStop",
            Self::Ready => "ready",
        }
    }
}

impl KubeadmPhase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Init => "kubeadmInit",
            Self::Etcd => "kubeadmEtcd",
            Self::ControlPlane => "kubeadmControlPlane",
            Self::KubeletStart => "kubeadmKubeletStart",
            Self::UploadConfig => "kubeadmUploadConfig",
            Self::MarkControlPlane => "kubeadmMarkControlPlane",
            Self::KubeProxy => "kubeadmKubeProxy",
            Self::CoreDns => "kubeadmCoreDns",
            Self::Join => "kubeadmJoin",
        }
    }
}

/// An id that comes from another release may be one that is not known here.
pub(super) fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StepId, D::Error> {
    let id = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(id).unwrap_or_default())
}
