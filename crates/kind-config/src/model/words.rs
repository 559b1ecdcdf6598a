//! Choices between a few words.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Makes an enum of words, with a last variant for words that [`Cluster::validate`](crate::Cluster::validate) refuses.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that [`Cluster::validate`](crate::Cluster::validate) refuses.
            Unknown(String),
        }

        impl $name {
            /// Every word that stands for something.
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),*];

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

impl Role {
    /// True if nodes of this role run the control plane.
    pub fn is_control_plane(&self) -> bool {
        match self {
            Self::ControlPlane => true,
            Self::Worker | Self::Unknown(_) => false,
        }
    }
}

impl IpFamily {
    /// True if nodes need IPv4 addresses.
    pub fn has_ipv4(&self) -> bool {
        match self {
            Self::Ipv4 | Self::Dual | Self::Unknown(_) => true,
            Self::Ipv6 => false,
        }
    }

    /// True if nodes need IPv6 addresses.
    pub fn has_ipv6(&self) -> bool {
        match self {
            Self::Ipv6 | Self::Dual => true,
            Self::Ipv4 | Self::Unknown(_) => false,
        }
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

words! {
    /// What happens to pods that do not tolerate a taint.
    TaintEffect {
        /// They are not placed on the node.
        #[default]
        NoSchedule = "NoSchedule",
        /// They are placed on the node if there is no other.
        PreferNoSchedule = "PreferNoSchedule",
        /// Those that run there are evicted too.
        NoExecute = "NoExecute",
    }
}

words! {
    /// How much of a request the API server records.
    AuditLevel {
        /// Who asked for what, and when.
        #[default]
        Metadata = "Metadata",
        /// The request's content too.
        Request = "Request",
        /// The answer's content too.
        RequestResponse = "RequestResponse",
    }
}

words! {
    /// Which program does an add-on's work.
    AddOn {
        /// The one that the node image brings, as kind has it.
        #[default]
        Default = "default",
        /// None; the user brings one, or goes without.
        None = "none",
    }
}

/// How mounts made later travel between host and node: the modes of Kubernetes' `MountPropagationMode`.
///
/// Every crate of kind has this type, and each matches all of it: an engine that forgets a mode does not compile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Propagation {
    /// Not at all. Records of nodes have always had the kernel's word for it.
    #[default]
    #[serde(rename = "Private")]
    None,
    /// From the host into the node.
    HostToContainer,
    /// Both ways.
    Bidirectional,
}

impl Propagation {
    pub(crate) const ALL: &'static [Self] =
        &[Self::None, Self::HostToContainer, Self::Bidirectional];
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

/// Transport protocol of a published port: Kubernetes' `Protocol`.
///
/// Every crate of kind has this type, and each matches all of it: an engine that forgets a protocol does not compile.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
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
    pub(crate) const ALL: &'static [Self] = &[Self::Tcp, Self::Udp, Self::Sctp];
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
