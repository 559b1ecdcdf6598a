//! A cluster and its parts.

use std::collections::BTreeMap;

use super::resources::Resources;
use super::words::{
    AddOn, AuditLevel, IpFamily, KubeProxyMode, Propagation, Protocol, Role, TaintEffect,
};

/// A cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cluster {
    /// Name; `kind` by default.
    pub name: String,
    /// Nodes in the order of the configuration.
    pub nodes: Vec<Node>,
    /// Networks of pods, services and the API server.
    pub networking: Networking,
    /// Kubernetes feature gates for every component.
    pub feature_gates: BTreeMap<String, bool>,
    /// The API server's `--runtime-config`.
    pub runtime_config: BTreeMap<String, String>,
    /// YAML streams of merge patches for the kubeadm documents of every node.
    pub kubeadm_config_patches: Vec<String>,
    /// JSON patches (RFC 6902) for the kubeadm documents of every node.
    pub kubeadm_config_patches_json6902: Vec<JsonPatch>,
    /// TOML merge patches for containerd's configuration on every node.
    pub containerd_config_patches: Vec<String>,
    /// JSON patches (RFC 6902) for containerd's configuration on every node.
    pub containerd_config_patches_json6902: Vec<String>,
    /// Where images of certain registries are pulled from. Since `v1beta1`.
    pub registries: Vec<Registry>,
    /// Certificates (PEM) that every node trusts. Since `v1beta1`.
    pub certificate_authorities: Vec<FileOrText>,
    /// Records requests to the API server. Since `v1beta1`.
    pub audit: Option<Audit>,
    /// What is installed beside Kubernetes itself. Since `v1beta1`.
    pub add_ons: AddOns,
    /// Applied to the new cluster, in this order. Since `v1beta1`.
    pub manifests: Vec<FileOrText>,
}

/// A node of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// What the node does.
    pub role: Role,
    /// Image reference; [`DEFAULT_NODE_IMAGE`](crate::DEFAULT_NODE_IMAGE) by default.
    pub image: String,
    /// Labels of the Kubernetes node.
    pub labels: BTreeMap<String, String>,
    /// Taints of the Kubernetes node instead of those of its role. Since `v1beta1`.
    pub taints: Option<Vec<Taint>>,
    /// Environment of the node's first process, which hands proxy settings on to containerd and the
    /// kubelet. Since `v1beta1`.
    pub env: BTreeMap<String, String>,
    /// Host paths to show in the node.
    pub extra_mounts: Vec<Mount>,
    /// Ports to publish on the host.
    pub extra_port_mappings: Vec<PortMapping>,
    /// How much of its host it may use. Since `v1beta1`.
    pub resources: Resources,
    /// As the cluster's, for this node only and after the cluster's.
    pub kubeadm_config_patches: Vec<String>,
    /// As the cluster's, for this node only and after the cluster's.
    pub kubeadm_config_patches_json6902: Vec<JsonPatch>,
}

/// Networks of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Networking {
    /// Address families of pods and services.
    pub ip_family: IpFamily,
    /// Port of the API server on the host: 0 for one that kind picks, -1 for one that the engine
    /// picks.
    pub api_server_port: i32,
    /// Address of the API server on the host; a loopback address by default.
    pub api_server_address: String,
    /// More names and addresses for the API server's certificate. Since `v1beta1`.
    pub api_server_cert_sans: Vec<String>,
    /// Addresses of pods: one CIDR, or two separated by a comma.
    pub pod_subnet: String,
    /// Addresses of services: one CIDR, or two separated by a comma. The first one's family is the
    /// cluster's primary family.
    pub service_subnet: String,
    /// Leave out the network add-on.
    pub disable_default_cni: bool,
    /// How service addresses are made to work.
    pub kube_proxy_mode: KubeProxyMode,
    /// Search domains of the nodes: the host's with `None`, none at all with an empty list.
    pub dns_search: Option<Vec<String>>,
    /// Leave the host's proxies out of nodes, and those of the engine's client. Since `v1beta1`.
    pub disable_host_proxy: bool,
}

/// A host path shown in a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mount {
    /// Path in the node.
    pub container_path: String,
    /// Path on the host; a relative one is relative to the current directory.
    pub host_path: String,
    /// No writes.
    pub read_only: bool,
    /// Relabel for SELinux.
    pub selinux_relabel: bool,
    /// How mounts made later travel.
    pub propagation: Propagation,
}

/// A port of a node published on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortMapping {
    /// Port in the node.
    pub container_port: i32,
    /// Port on the host: 0 for one that kind picks, -1 for one that the engine picks.
    pub host_port: i32,
    /// Address on the host; empty for every address.
    pub listen_address: String,
    /// Transport protocol.
    pub protocol: Protocol,
}

/// A JSON patch (RFC 6902) and the documents it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonPatch {
    /// API group of the documents.
    pub group: String,
    /// API version of the documents, without the group.
    pub version: String,
    /// Kind of the documents.
    pub kind: String,
    /// Has no effect; kind's documentation once named it.
    pub name: String,
    /// Has no effect; kind's documentation once named it.
    pub namespace: String,
    /// The operations, as YAML or JSON text.
    pub patch: String,
}

/// A taint of a Kubernetes node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What happens to pods that do not tolerate it.
    pub effect: TaintEffect,
}

/// Where images of one registry are pulled from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registry {
    /// The registry as image references name it; `_default` stands for every other one.
    pub host: String,
    /// Where to ask instead, one after the other; the registry itself is asked last.
    pub mirrors: Vec<Mirror>,
}

/// A server that has images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mirror {
    /// Its address as nodes see it.
    pub url: String,
    /// Does not check the server's certificate.
    pub skip_verify: bool,
    /// Certificate (PEM) of the authority that signed the server's certificate.
    pub ca: Option<FileOrText>,
}

/// Records of requests to the API server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// How much of every request is recorded.
    pub level: AuditLevel,
    /// A policy instead of one level for all.
    pub policy: Option<FileOrText>,
}

/// What is installed beside Kubernetes itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddOns {
    /// Cluster DNS.
    pub dns: AddOn,
    /// The default storage class and its provisioner.
    pub storage: AddOn,
}

/// Content that stands in the configuration or in a file of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileOrText {
    /// A file; a relative path is relative to the current directory. Empty if the text stands here.
    pub file: String,
    /// The content. Empty if it stands in a file.
    pub text: String,
}
