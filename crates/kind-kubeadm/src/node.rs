//! What must be known of a node before its documents can be made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kind_config::version::Version;
use kind_config::{IpFamily, Networking};

use crate::{Api, Error};

/// What is known of one node beside its cluster's configuration.
#[derive(Debug, Clone)]
#[non_exhaustive]
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
    kubernetes_version: String,
    version: Version,
}

impl NodeFacts {
    /// A node with a name, an engine and a Kubernetes version, the text of its `/kind/version`. It
    /// has no addresses yet.
    ///
    /// # Errors
    /// The Kubernetes version is none.
    pub fn new(name: &str, provider: &str, kubernetes_version: &str) -> Result<Self, Error> {
        let kubernetes_version = kubernetes_version.trim();
        Ok(Self {
            name: name.to_owned(),
            provider: provider.to_owned(),
            ipv4: None,
            ipv6: None,
            rootless: false,
            cgroup_v1: false,
            skip_phases: Vec::new(),
            kubernetes_version: kubernetes_version.to_owned(),
            version: kubernetes_version.parse()?,
        })
    }

    /// The node's Kubernetes version as its image says it.
    pub fn kubernetes_version(&self) -> &str {
        &self.kubernetes_version
    }

    /// The numbers of the node's Kubernetes version.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The version of kubeadm's configuration API that the node needs.
    pub fn api(&self) -> Api {
        Api::of(&self.version)
    }

    /// The node's addresses, the one of the cluster's primary family first.
    pub(crate) fn addresses(&self, networking: &Networking) -> Result<Vec<IpAddr>, Error> {
        let prefers_ipv6 = networking
            .service_subnets()
            .first()
            .is_some_and(|subnet| subnet.addr().is_ipv6());
        match networking.ip_family {
            IpFamily::Ipv6 => Ok(vec![self.ipv6()?]),
            IpFamily::Dual if prefers_ipv6 => Ok(vec![self.ipv6()?, self.ipv4()?]),
            IpFamily::Dual => Ok(vec![self.ipv4()?, self.ipv6()?]),
            _ => Ok(vec![self.ipv4()?]),
        }
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
