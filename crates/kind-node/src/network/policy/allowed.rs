//! The rules for what one part of a policy allows.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cluster::{Allowed, Peer, Pod, Port};
use super::compiler::Compiler;
use super::direction::Direction;
use super::ranges;
use super::selector::Labels;
use crate::kubernetes::store::Key;
use crate::nft::{Match, Rule, Service, Set};

/// One part of a policy.
pub(super) struct Part<'p> {
    /// The first words of the names of its sets.
    pub(super) name: &'p str,
    /// The policy's namespace.
    pub(super) namespace: &'p str,
    /// The direction it is about.
    pub(super) direction: Direction,
    /// The pods of this node that the policy is about.
    pub(super) selected: &'p [(&'p Key, &'p Pod)],
}

impl<'a> Compiler<'a> {
    /// The rules for one part of a policy, with the sets they refer to.
    pub(super) fn allowed_rules(&mut self, part: &Part<'_>, allowed: &Allowed) -> Vec<Rule> {
        let everyone = vec![vec![]];
        let peers = allowed.peers.as_ref();
        let peers = peers.map_or(everyone, |peers| self.peer_matches(part, peers));
        let mut rules = Vec::new();
        let mut add = |matches: Vec<Match>| {
            rules.push(Rule::new(matches, part.direction.passed()));
        };
        let Some(ports) = &allowed.ports else {
            peers.into_iter().for_each(add);
            return rules;
        };
        for (index, port) in ports.iter().enumerate() {
            let matches = match port {
                Port::Protocol(protocol) => vec![Match::Protocol(*protocol)],
                Port::Range(protocol, first, last) => {
                    vec![Match::Protocol(*protocol), Match::Ports(*first, *last)]
                }
                Port::Named(protocol, name) => {
                    let set = format!("{}-{index}", part.name);
                    let services = self.named_ports(part, allowed, *protocol, name);
                    self.table.add_set(set.clone(), Set::Services(services));
                    let matches = vec![Match::Service(set)];
                    if part.direction == Direction::Egress {
                        // The set holds the peers already.
                        add(matches);
                        continue;
                    }
                    matches
                }
            };
            for peer in &peers {
                add([peer.as_slice(), &matches].concat());
            }
        }
        rules
    }

    /// Conditions each of which is met by some of the peers.
    fn peer_matches(&mut self, part: &Part<'_>, peers: &[Peer]) -> Vec<Vec<Match>> {
        let mut alternatives = Vec::new();
        let other = part.direction.other();
        if peers.iter().any(|peer| matches!(peer, Peer::Pods { .. })) {
            let pods = self.cluster.pods.all_objects().iter();
            let pods = pods.filter(|(key, pod)| self.selects_pod(part, peers, key, pod));
            let members = pods.flat_map(|(_, pod)| self.addresses(pod)).collect();
            let name = format!("{}-pods", part.name);
            self.table.add_set(name.clone(), Set::Addresses(members));
            alternatives.push(vec![Match::InSet(other, name)]);
        }
        let blocks = peers.iter().filter_map(|peer| match peer {
            Peer::Block(block) => Some(block),
            Peer::Pods { .. } => None,
        });
        let ranges = ranges::union_of_ranges(blocks, self.family);
        if !ranges.is_empty() {
            let name = format!("{}-ranges", part.name);
            self.table.add_set(name.clone(), Set::Ranges(ranges));
            alternatives.push(vec![Match::InSet(other, name)]);
        }
        alternatives
    }

    /// The receiving pods' ports of that name.
    fn named_ports(
        &self,
        part: &Part<'_>,
        allowed: &Allowed,
        protocol: u8,
        name: &str,
    ) -> BTreeSet<Service> {
        if part.direction == Direction::Ingress {
            let pods = part.selected.iter().map(|(_, pod)| *pod);
            return pods
                .flat_map(|pod| self.pod_services(pod, protocol, name))
                .collect();
        }
        let pods = self.cluster.pods.all_objects().iter();
        let pods = pods.filter(|(key, pod)| match &allowed.peers {
            None => true,
            Some(peers) => {
                self.selects_pod(part, peers, key, pod)
                    || pod
                        .addresses
                        .iter()
                        .any(|address| in_blocks(peers, address))
            }
        });
        pods.flat_map(|(_, pod)| self.pod_services(pod, protocol, name))
            .collect()
    }

    fn pod_services(
        &self,
        pod: &'a Pod,
        protocol: u8,
        name: &str,
    ) -> impl Iterator<Item = Service> + use<'a> {
        let ports = pod.ports.iter();
        let ports = ports.filter(|port| port.protocol == protocol && port.name == name);
        let ports: Vec<u16> = ports.map(|port| port.port).collect();
        self.addresses(pod).flat_map(move |address| {
            ports.clone().into_iter().map(move |port| Service {
                address,
                protocol,
                port,
            })
        })
    }

    /// Tells whether a pod is one of the peers by its labels.
    fn selects_pod(&self, part: &Part<'_>, peers: &[Peer], key: &Key, pod: &Pod) -> bool {
        peers.iter().any(|peer| match peer {
            Peer::Block(_) => false,
            Peer::Pods { namespaces, pods } => {
                let namespace = match namespaces {
                    None => key.namespace == part.namespace,
                    Some(selector) => selector.selects(&self.namespace_labels(&key.namespace)),
                };
                namespace && pods.selects(&pod.labels)
            }
        })
    }

    fn namespace_labels(&self, name: &str) -> std::borrow::Cow<'a, Labels> {
        let key = Key {
            namespace: String::new(),
            name: name.to_owned(),
        };
        match self.cluster.namespaces.all_objects().get(&key) {
            Some(labels) => std::borrow::Cow::Borrowed(labels),
            None => std::borrow::Cow::Owned(Labels::new()),
        }
    }
}

fn in_blocks(peers: &[Peer], address: &IpAddr) -> bool {
    peers.iter().any(|peer| match peer {
        Peer::Block(block) => block.contains(address),
        Peer::Pods { .. } => false,
    })
}
