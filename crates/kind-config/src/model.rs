//! The cluster that a configuration describes, as plain data.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

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
    /// Host paths to show in the node.
    pub extra_mounts: Vec<Mount>,
    /// Ports to publish on the host.
    pub extra_port_mappings: Vec<PortMapping>,
    /// As the cluster's, for this node only and after the cluster's.
    pub kubeadm_config_patches: Vec<String>,
    /// As the cluster's, for this node only and after the cluster's.
    pub kubeadm_config_patches_json6902: Vec<JsonPatch>,
}

impl Node {
    /// A control-plane node.
    pub fn control_plane() -> Self {
        Self::default()
    }

    /// A worker node.
    pub fn worker() -> Self {
        Self {
            role: Role::Worker,
            ..Self::default()
        }
    }
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
    /// The operations, as YAML or JSON text.
    pub patch: String,
}

/// Makes an enum of words, with a last variant for words that [`Cluster::validate`] refuses.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that [`Cluster::validate`] refuses.
            Unknown(String),
        }

        impl $name {
            /// The word as it stands in configurations.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(word: &str) -> Result<Self, Infallible> {
                Ok(match word {
                    $($word => Self::$variant,)*
                    _ => Self::Unknown(word.to_owned()),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a node does.
    Role {
        /// Runs the control plane.
        #[default]
        ControlPlane = "control-plane",
        /// Runs pods only.
        Worker = "worker",
    }
}

words! {
    /// Address families of pods and services.
    IpFamily {
        /// IPv4 only.
        #[default]
        Ipv4 = "ipv4",
        /// IPv6 only.
        Ipv6 = "ipv6",
        /// Both.
        Dual = "dual",
    }
}

impl IpFamily {
    /// True if nodes need IPv6 addresses.
    pub fn has_ipv6(&self) -> bool {
        matches!(self, Self::Ipv6 | Self::Dual)
    }
}

words! {
    /// How kube-proxy makes service addresses work.
    KubeProxyMode {
        /// With iptables rules.
        #[default]
        Iptables = "iptables",
        /// With the kernel's load balancer.
        Ipvs = "ipvs",
        /// With nftables rules; Kubernetes 1.31 or later.
        Nftables = "nftables",
        /// Not at all: no kube-proxy.
        None = "none",
    }
}

/// How mounts made later travel between host and node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Propagation {
    /// Not at all.
    #[default]
    None,
    /// From the host into the node.
    HostToContainer,
    /// Both ways.
    Bidirectional,
}

impl Propagation {
    pub(crate) const WORDS: &'static [&'static str] = &["None", "HostToContainer", "Bidirectional"];

    /// The word as it stands in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::HostToContainer => "HostToContainer",
            Self::Bidirectional => "Bidirectional",
        }
    }
}

/// Transport protocol of a published port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// TCP
    #[default]
    Tcp,
    /// UDP
    Udp,
    /// SCTP
    Sctp,
}

impl Protocol {
    pub(crate) const WORDS: &'static [&'static str] = &["TCP", "UDP", "SCTP"];

    /// The word as it stands in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}
