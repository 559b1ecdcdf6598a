//! Policies, namespaces and pods, as far as policies care.

use std::net::IpAddr;

use ipnet::IpNet;
use k8s_openapi::api::core::v1;
use k8s_openapi::api::networking::v1 as api;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::settings::Settings;
use super::ranges::Block;
use super::selector::{Labels, Selector};
use crate::kubernetes::Protocol;
use crate::kubernetes::store::Store;

/// All that decides about traffic.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    /// The policies.
    pub(super) policies: Store<Policy>,
    /// Labels of the namespaces.
    pub(super) namespaces: Store<Labels>,
    /// The pods with addresses of their own.
    pub(super) pods: Store<Pod>,
}

impl Cluster {
    /// Tells whether everything is known that there is.
    pub(super) fn complete(&self) -> bool {
        self.policies.complete() && self.namespaces.complete() && self.pods.complete()
    }
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) labels: Labels,
    pub(super) addresses: Vec<IpAddr>,
    /// It runs on this node, or is about to.
    pub(super) here: bool,
    /// Its ports that have names.
    pub(super) ports: Vec<NamedPort>,
}

/// A port of a pod that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedPort {
    pub(super) name: String,
    pub(super) protocol: u8,
    pub(super) port: u16,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    /// Another one for every policy, and for every version of it.
    pub(super) id: String,
    pub(super) pods: Selector,
    /// What the pods may get; `None` if the policy has no say in that.
    pub(super) ingress: Option<Vec<Allowed>>,
    /// What the pods may send.
    pub(super) egress: Option<Vec<Allowed>>,
}

/// Traffic that is allowed: with any of the peers on any of the ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowed {
    /// `None` means everyone.
    pub(super) peers: Option<Vec<Peer>>,
    /// `None` means every port of every protocol.
    pub(super) ports: Option<Vec<Port>>,
}

/// The other side of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    /// Whoever has these addresses.
    Block(Block),
    /// Pods in the policy's own namespace, or in the selected ones.
    Pods {
        namespaces: Option<Selector>,
        pods: Selector,
    },
}

/// Ports at the receiving side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Port {
    /// All of a protocol.
    Protocol(u8),
    /// From the first to the last.
    Range(u8, u16, u16),
    /// What the receiving pod calls so.
    Named(u8, String),
}

/// What matters of a pod; nothing if it is on its node's network or has ended.
pub(super) fn reduce_pod(pod: v1::Pod, settings: &Settings) -> Option<Pod> {
    let spec = pod.spec.unwrap_or_default();
    let status = pod.status.unwrap_or_default();
    let ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    if ended || spec.host_network == Some(true) {
        return None;
    }
    let addresses = status.pod_ips.unwrap_or_default().into_iter();
    let addresses = addresses.map(|address| address.ip).chain(status.pod_ip);
    let mut addresses: Vec<IpAddr> = addresses.filter_map(|text| text.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let here = match &settings.node {
        Some(node) => spec.node_name.as_ref() == Some(node),
        None => status.host_ip.and_then(|text| text.parse().ok()) == Some(settings.host),
    };
    let init = spec.init_containers.unwrap_or_default();
    let containers = spec.containers.into_iter().chain(init);
    let ports = containers.flat_map(|container| container.ports.unwrap_or_default());
    Some(Pod {
        labels: pod.metadata.labels.unwrap_or_default(),
        addresses,
        here,
        ports: ports.filter_map(named_port).collect(),
    })
}

fn named_port(port: v1::ContainerPort) -> Option<NamedPort> {
    Some(NamedPort {
        name: port.name?,
        protocol: Protocol::of_object(port.protocol.as_deref())?.number(),
        port: u16::try_from(port.container_port).ok()?,
    })
}

/// What matters of a policy.
pub(super) fn reduce_policy(policy: api::NetworkPolicy) -> Policy {
    let metadata = policy.metadata;
    let generation = metadata.generation.unwrap_or_default();
    let spec = policy.spec.unwrap_or_default();
    // The API server writes the types down; this is how it would.
    let egress = spec.egress.unwrap_or_default();
    let types = spec.policy_types.unwrap_or_else(|| {
        let also = (!egress.is_empty()).then(|| "Egress".to_owned());
        std::iter::once("Ingress".to_owned()).chain(also).collect()
    });
    let has = |name: &str| types.iter().any(|candidate| candidate == name);
    let ingress = spec.ingress.unwrap_or_default().into_iter();
    let ingress = ingress.map(|rule| allowed(rule.from, rule.ports));
    let egress = egress.into_iter().map(|rule| allowed(rule.to, rule.ports));
    Policy {
        id: format!("{}.{generation}", metadata.uid.unwrap_or_default()),
        pods: Selector::new(spec.pod_selector.unwrap_or_default()),
        ingress: has("Ingress").then(|| ingress.collect()),
        egress: has("Egress").then(|| egress.collect()),
    }
}

/// An empty list allows the same as none: everything. One whose members mean nothing allows nothing.
fn allowed(
    peers: Option<Vec<api::NetworkPolicyPeer>>,
    ports: Option<Vec<api::NetworkPolicyPort>>,
) -> Allowed {
    let peers = peers.filter(|peers| !peers.is_empty());
    let ports = ports.filter(|ports| !ports.is_empty());
    Allowed {
        peers: peers.map(|peers| peers.into_iter().filter_map(reduce_peer).collect()),
        ports: ports.map(|ports| ports.into_iter().filter_map(reduce_port).collect()),
    }
}

fn reduce_peer(peer: api::NetworkPolicyPeer) -> Option<Peer> {
    if let Some(block) = peer.ip_block {
        let range = |text: &String| text.parse::<IpNet>().ok().map(|range| range.trunc());
        let except = block.except.unwrap_or_default();
        return Some(Peer::Block(Block {
            range: range(&block.cidr)?,
            // An exception that cannot be read must not let anyone in.
            except: except.iter().map(range).collect::<Option<_>>()?,
        }));
    }
    if peer.namespace_selector.is_none() && peer.pod_selector.is_none() {
        return None;
    }
    Some(Peer::Pods {
        namespaces: peer.namespace_selector.map(Selector::new),
        pods: peer.pod_selector.map(Selector::new).unwrap_or_default(),
    })
}

fn reduce_port(port: api::NetworkPolicyPort) -> Option<Port> {
    let protocol = Protocol::of_object(port.protocol.as_deref())?.number();
    match port.port {
        None => Some(Port::Protocol(protocol)),
        Some(IntOrString::String(name)) => Some(Port::Named(protocol, name)),
        Some(IntOrString::Int(first)) => {
            let last = port.end_port.unwrap_or(first);
            let number = |port: i32| u16::try_from(port).ok();
            Some(Port::Range(protocol, number(first)?, number(last)?))
        }
    }
}
