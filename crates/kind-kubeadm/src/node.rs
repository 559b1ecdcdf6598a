//! What must be known of a node before its documents can be made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use kind_config::Networking;
use kind_config::version::Version;

use crate::{Api, Error};

/// What is known of one node beside its cluster's configuration.
#[derive(Debug, Clone)]
pub struct NodeFacts {
    /// Name of the node.
    pub name: String,
    /// Name of the engine that runs it, for the node's `provider-id`.
    pub provider: String,
    /// IPv4 address on the cluster's network.
    pub ipv4: Option<Ipv4Addr>,
    /// IPv6 address on the cluster's network.
    pub ipv6: Option<Ipv6Addr>,
    /// The engine runs without root on the host.
    pub rootless: bool,
    /// The host has cgroup v1 hierarchies. Since Kubernetes 1.35 the kubelet refuses them unless it
    /// is told not to.
    pub cgroup_v1: bool,
    /// Phases of `kubeadm init` to skip beside those that the documents name, for example
    /// `addon/coredns` where the node's image brings its own cluster DNS. They go on the command line:
    /// the documents are those of any image.
    pub skip_phases: Vec<String>,
    /// What its image says of itself.
    pub kubernetes: KubernetesVersion,
}

/// The Kubernetes version of a node.
#[derive(Debug, Clone)]
pub struct KubernetesVersion {
    text: String,
    numbers: Version,
}

impl FromStr for KubernetesVersion {
    type Err = Error;

    /// Reads the text of a node's `/kind/version`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        Ok(Self {
            text: text.to_owned(),
            numbers: text.parse()?,
        })
    }
}

impl NodeFacts {
    /// A node with a name, an engine and a Kubernetes version, the text of its `/kind/version`. It
    /// has no addresses yet.
    ///
    /// # Errors
    /// The Kubernetes version is none.
    pub fn new(name: &str, provider: &str, kubernetes_version: &str) -> Result<Self, Error> {
        Ok(Self {
            name: name.to_owned(),
            provider: provider.to_owned(),
            ipv4: None,
            ipv6: None,
            rootless: false,
            cgroup_v1: false,
            skip_phases: Vec::new(),
            kubernetes: kubernetes_version.parse()?,
        })
    }

    /// The node's Kubernetes version as its image says it.
    pub fn kubernetes_version(&self) -> &str {
        &self.kubernetes.text
    }

    /// The numbers of the node's Kubernetes version.
    pub fn version(&self) -> &Version {
        &self.kubernetes.numbers
    }

    /// The version of kubeadm's configuration API that the node needs.
    pub fn api(&self) -> Api {
        Api::of_kubernetes(&self.kubernetes.numbers)
    }

    /// The node's addresses, the one of the cluster's primary family first.
    pub(crate) fn addresses(&self, networking: &Networking) -> Result<Vec<IpAddr>, Error> {
        let prefers_ipv6 = networking
            .service_subnets()
            .first()
            .is_some_and(|subnet| subnet.addr().is_ipv6());
        let family = &networking.ip_family;
        let ipv4 = family.has_ipv4().then(|| self.ipv4());
        let ipv6 = family.has_ipv6().then(|| self.ipv6());
        let in_order = if prefers_ipv6 {
            [ipv6, ipv4]
        } else {
            [ipv4, ipv6]
        };
        in_order.into_iter().flatten().collect()
    }

    /// Every address of the node, as text.
    pub(crate) fn known_addresses(&self) -> impl Iterator<Item = String> + use<> {
        let v4 = self.ipv4.map(|address| address.to_string());
        let v6 = self.ipv6.map(|address| address.to_string());
        v4.into_iter().chain(v6)
    }

    fn ipv4(&self) -> Result<IpAddr, Error> {
        self.ipv4
            .map(IpAddr::from)
            .ok_or_else(|| self.no_address("IPv4"))
    }

    fn ipv6(&self) -> Result<IpAddr, Error> {
        self.ipv6
            .map(IpAddr::from)
            .ok_or_else(|| self.no_address("IPv6"))
    }

    fn no_address(&self, family: &'static str) -> Error {
        Error::Address {
            family,
            node: self.name.clone(),
            provider: self.provider.clone(),
        }
    }
}
