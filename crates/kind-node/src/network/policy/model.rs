//! What the tests of policies share: clusters from JSON, and the kernel's reading of rules.

use std::net::IpAddr;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::networking::v1 as api;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::super::settings::Settings;
use super::cluster::{self, Cluster};
use crate::nft::{Field, Match, Rule, Service, Set, Table, Verdict};

pub(super) const NODE: &str = "node";

pub(super) fn settings() -> Settings {
    Settings {
        pod_subnets: ["10.244.0.0/16", "fd00:10:244::/56"]
            .map(|text| text.parse().unwrap())
            .into(),
        service_subnets: Vec::new(),
        host: "172.18.0.2".parse().unwrap(),
        node: Some(NODE.into()),
        endpoint: None,
    }
}

/// A cluster with these objects: namespaces and pods as `(namespace, name, label, node, addresses)`.
#[derive(Default)]
pub(super) struct World {
    pub(super) cluster: Cluster,
    policies: usize,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self::default();
        world
            .cluster
            .policies
            .apply_event(Event::InitDone, |_: api::NetworkPolicy| None);
        world
            .cluster
            .namespaces
            .apply_event(Event::InitDone, |_: core::Namespace| None);
        world
            .cluster
            .pods
            .apply_event(Event::InitDone, |_: core::Pod| None);
        world
    }

    pub(super) fn namespace(&mut self, name: &str, label: &str) {
        let object = json!({ "metadata": { "name": name, "labels": { "team": label } } });
        let object: core::Namespace = serde_json::from_value(object).unwrap();
        let reduce = |object: core::Namespace| object.metadata.labels;
        self.cluster
            .namespaces
            .apply_event(Event::Apply(object), reduce);
    }

    /// Adds a pod, or changes it. `change` is merged into what `kubectl get -o json` would show.
    pub(super) fn pod(
        &mut self,
        place: (&str, &str, &str),
        app: &str,
        addresses: &[&str],
        change: Value,
    ) {
        let (namespace, name, node) = place;
        let addresses: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
        let mut pod = json!({
            "metadata": { "namespace": namespace, "name": name, "labels": { "app": app } },
            "spec": { "nodeName": node, "containers": [{ "name": "c", "ports": [
                { "name": "web", "containerPort": 8080 },
                { "name": "dns", "containerPort": 53, "protocol": "UDP" },
            ] }] },
            "status": { "phase": "Running", "podIPs": addresses },
        });
        for (part, fields) in change.as_object().into_iter().flatten() {
            for (key, value) in fields.as_object().unwrap() {
                pod[part][key] = value.clone();
            }
        }
        let pod: core::Pod = serde_json::from_value(pod).unwrap();
        let settings = settings();
        let reduce = |pod| cluster::reduce_pod(pod, &settings);
        self.cluster.pods.apply_event(Event::Apply(pod), reduce);
    }

    pub(super) fn policy(&mut self, namespace: &str, spec: Value) {
        self.policies += 1;
        self.policy_with_id(namespace, format!("p{}", self.policies), spec);
    }

    pub(super) fn policy_with_id(&mut self, namespace: &str, name: String, spec: Value) {
        let policy = json!({
            "metadata": { "namespace": namespace, "name": name, "uid": name, "generation": 1 },
            "spec": spec,
        });
        let policy: api::NetworkPolicy = serde_json::from_value(policy).unwrap();
        let reduce = |policy| Some(cluster::reduce_policy(policy));
        self.cluster
            .policies
            .apply_event(Event::Apply(policy), reduce);
    }
}

/// The first packet of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    pub(super) protocol: u8,
    pub(super) port: u16,
}

/// What a chain says of a packet.
enum Said {
    Accept,
    Drop,
    Nothing,
}

/// Reads rules as the kernel would, and tells whether the packet passes a base chain.
pub(super) fn passes(table: &Table, chain: &str, packet: &Packet) -> bool {
    !matches!(walk(table, chain, packet), Said::Drop)
}

fn walk(table: &Table, chain: &str, packet: &Packet) -> Said {
    for rule in &table.chains[chain].rules {
        if !rule
            .matches
            .iter()
            .all(|condition| met(table, condition, packet))
        {
            continue;
        }
        let said = match &rule.verdict {
            Verdict::Accept => Said::Accept,
            Verdict::Drop | Verdict::Reject => Said::Drop,
            Verdict::Return => return Said::Nothing,
            Verdict::Goto(chain) => return walk(table, chain, packet),
            Verdict::Jump(chain) => walk(table, chain, packet),
            Verdict::Map(field, map) => mapped(table, map, address(*field, packet), packet),
            Verdict::Masquerade | Verdict::Spread(..) | Verdict::Forward(..) => {
                panic!("{rule:?}")
            }
        };
        if !matches!(said, Said::Nothing) {
            return said;
        }
    }
    Said::Nothing
}

fn mapped(table: &Table, map: &str, address: IpAddr, packet: &Packet) -> Said {
    let Set::Chains(chains) = &table.sets[map] else {
        panic!("{map} is no map");
    };
    let chain = chains.get(&address);
    chain.map_or(Said::Nothing, |chain| walk(table, chain, packet))
}

fn met(table: &Table, condition: &Match, packet: &Packet) -> bool {
    match condition {
        Match::Established | Match::FromHere => false,
        Match::In(field, range) => range.contains(&address(*field, packet)),
        Match::InSet(field, set) => in_set(table, set, address(*field, packet)),
        Match::NotInSet(field, set) => !in_set(table, set, address(*field, packet)),
        Match::Service(set) => match &table.sets[set] {
            Set::Services(services) => services.contains(&Service {
                address: packet.to,
                protocol: packet.protocol,
                port: packet.port,
            }),
            other => panic!("{other:?}"),
        },
        Match::Protocol(protocol) => packet.protocol == *protocol,
        Match::Ports(first, last) => (*first..=*last).contains(&packet.port),
        Match::IcmpTypes(..) => false,
        other => panic!("policies have no {other:?}"),
    }
}

fn in_set(table: &Table, set: &str, address: IpAddr) -> bool {
    match &table.sets[set] {
        Set::Addresses(addresses) => addresses.contains(&address),
        Set::Ranges(ranges) => ranges
            .iter()
            .any(|(first, last)| *first <= address && address <= *last),
        other => panic!("{other:?}"),
    }
}

fn address(field: Field, packet: &Packet) -> IpAddr {
    match field {
        Field::Source => packet.from,
        Field::Destination => packet.to,
    }
}

/// Every name that rules and maps refer to is there, as the kernel demands.
pub(super) fn is_closed(table: &Table) -> bool {
    let rule_is = |rule: &Rule| {
        let sets = rule.matches.iter().all(|condition| match condition {
            Match::InSet(_, set) | Match::NotInSet(_, set) | Match::Service(set) => {
                table.sets.contains_key(set)
            }
            _ => true,
        });
        sets && match &rule.verdict {
            Verdict::Jump(chain) | Verdict::Goto(chain) => table.chains.contains_key(chain),
            Verdict::Map(_, map) => table.sets.contains_key(map),
            _ => true,
        }
    };
    let maps = table.sets.values().all(|set| match set {
        Set::Chains(chains) => chains
            .values()
            .all(|chain| table.chains.contains_key(chain)),
        _ => true,
    });
    maps && table
        .chains
        .values()
        .all(|chain| chain.rules.iter().all(rule_is))
}
