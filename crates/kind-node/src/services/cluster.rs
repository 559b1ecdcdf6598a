//! Services and nodes, as far as addresses of services care.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use k8s_openapi::api::core::v1;

use crate::known::Key;
use crate::nft::Family;

/// Names the node that announces a Service's addresses; empty if none may. A Service with this
/// annotation is one whose addresses come from here.
pub(super) const ANNOUNCER: &str = "kind.x-k8s.io/announced-by";
/// Keeps a node out of what load balancers send traffic to.
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// A Service that has addresses from here, or is to have some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) uid: String,
    pub(super) version: Option<String>,
    /// Of which families it is to have addresses; none if it is no business of ours any more.
    pub(super) families: Vec<Family>,
    /// The address it asks for.
    pub(super) requested: Option<IpAddr>,
    /// Only a node with one of its pods may take its traffic.
    pub(super) local: bool,
    /// The addresses it has.
    pub(super) addresses: Vec<IpAddr>,
    /// The annotation [`ANNOUNCER`].
    pub(super) announcer: Option<String>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) ready: bool,
    /// It is kept out of load balancing.
    pub(super) excluded: bool,
}

/// What matters of a Service, if anything does.
pub(super) fn service(service: v1::Service) -> Option<Service> {
    let metadata = service.metadata;
    let spec = service.spec.unwrap_or_default();
    let announcer = metadata
        .annotations
        .and_then(|mut annotations| annotations.remove(ANNOUNCER));
    let ours = spec.type_.as_deref() == Some("LoadBalancer")
        && spec.load_balancer_class.is_none()
        && metadata.deletion_timestamp.is_none();
    if !ours && announcer.is_none() {
        return None;
    }
    let balancer = service.status.and_then(|status| status.load_balancer);
    let ingress = balancer.and_then(|balancer| balancer.ingress);
    let addresses = ingress.unwrap_or_default().into_iter();
    let families = if ours { families(&spec) } else { Vec::new() };
    Some(Service {
        uid: metadata.uid.unwrap_or_default(),
        version: metadata.resource_version,
        families,
        requested: spec.load_balancer_ip.and_then(|text| text.parse().ok()),
        local: spec.external_traffic_policy.as_deref() == Some("Local"),
        addresses: addresses
            .filter_map(|ingress| ingress.ip?.parse().ok())
            .collect(),
        announcer,
    })
}

/// The families of a Service; servers without dual stack do not name them.
fn families(spec: &v1::ServiceSpec) -> Vec<Family> {
    let named = spec.ip_families.iter().flatten();
    let mut families: Vec<Family> = named
        .filter_map(|name| match name.as_str() {
            "IPv4" => Some(Family::V4),
            "IPv6" => Some(Family::V6),
            _ => None,
        })
        .collect();
    if families.is_empty() {
        let address = spec.cluster_ip.as_ref().and_then(|text| text.parse().ok());
        families.extend(address.map(Family::of));
    }
    families
}

/// What matters of a node.
pub(super) fn node(node: v1::Node) -> Node {
    let labels = node.metadata.labels.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let ready = conditions
        .iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let addresses = status.addresses.unwrap_or_default().into_iter();
    Node {
        addresses: addresses
            .filter(|address| address.type_ == "InternalIP")
            .filter_map(|address| address.address.parse().ok())
            .collect(),
        ready,
        excluded: labels.contains_key(EXCLUDED),
    }
}

/// The nodes that may announce addresses, of those that answer. Where every node is kept out of load
/// balancing, none is: kubeadm does that to all control planes, and a cluster may have nothing else.
pub(super) fn usable(
    nodes: &BTreeMap<Key, Node>,
    answers: impl Fn(&str) -> bool,
) -> BTreeSet<&str> {
    let all_excluded = nodes.values().all(|node| node.excluded);
    let may = |node: &Node| node.ready && (all_excluded || !node.excluded);
    let names = nodes.iter().filter(|(_, node)| may(node));
    names
        .map(|(key, _)| key.name.as_str())
        .filter(|name| answers(name))
        .collect()
}

/// The nodes on which a Service has pods that are ready.
pub(super) fn places(endpoints: v1::Endpoints) -> BTreeSet<String> {
    let subsets = endpoints.subsets.unwrap_or_default().into_iter();
    let addresses = subsets.flat_map(|subset| subset.addresses.unwrap_or_default());
    addresses.filter_map(|address| address.node_name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: Value, metadata: Value) -> Option<Service> {
        let object = json!({ "metadata": metadata, "spec": spec });
        service(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn only_services_of_the_type_and_without_a_class_get_addresses() {
        for (spec, families) in [
            (
                json!({ "type": "LoadBalancer", "clusterIP": "10.96.0.9" }),
                Some(vec![Family::V4]),
            ),
            (
                json!({ "type": "LoadBalancer", "ipFamilies": ["IPv6", "IPv4"], "clusterIP": "fd00::1" }),
                Some(vec![Family::V6, Family::V4]),
            ),
            (
                json!({ "type": "LoadBalancer", "loadBalancerClass": "example.org/x" }),
                None,
            ),
            (
                json!({ "type": "ClusterIP", "clusterIP": "10.96.0.9" }),
                None,
            ),
            (json!({}), None),
        ] {
            let found = read(spec.clone(), json!({})).map(|service| service.families);
            assert_eq!(found, families, "{spec}");
        }
    }

    #[test]
    fn one_that_had_an_address_is_remembered_until_it_is_released() {
        let metadata = json!({ "annotations": { ANNOUNCER: "a" } });
        let former = read(json!({ "type": "NodePort" }), metadata).unwrap();
        assert_eq!(former.families, []);
        let metadata = json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" });
        assert_eq!(read(json!({ "type": "LoadBalancer" }), metadata), None);
    }

    /// Nodes by name, each ready or not and with labels.
    fn nodes(all: &[(&str, &str, Value)]) -> BTreeMap<Key, Node> {
        let read = |(name, ready, labels): &(&str, &str, Value)| {
            let object = json!({
                "metadata": { "name": name, "labels": labels },
                "status": { "conditions": [{ "type": "Ready", "status": ready }] },
            });
            let object: v1::Node = serde_json::from_value(object).unwrap();
            (Key::of(&object), node(object))
        };
        all.iter().map(read).collect()
    }

    fn names(nodes: &BTreeMap<Key, Node>) -> Vec<&str> {
        usable(nodes, |name| name != "silent").into_iter().collect()
    }

    #[test]
    fn nodes_that_are_not_ready_or_silent_or_excluded_announce_nothing() {
        let nodes = nodes(&[
            ("a", "True", json!({})),
            ("b", "Unknown", json!({})),
            ("c", "True", json!({ EXCLUDED: "" })),
            ("silent", "True", json!({})),
        ]);
        assert_eq!(names(&nodes), ["a"]);
    }

    #[test]
    fn where_all_nodes_are_excluded_none_is() {
        let excluded = json!({ EXCLUDED: "" });
        let mut control_planes = vec![
            ("a", "True", excluded.clone()),
            ("b", "False", excluded.clone()),
            ("silent", "True", excluded),
        ];
        assert_eq!(names(&nodes(&control_planes)), ["a"]);
        control_planes.push(("worker", "False", json!({})));
        assert!(names(&nodes(&control_planes)).is_empty());
    }
}
