//! Services and nodes, as far as addresses of services care.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1;

use super::backends::Backends;
use crate::kubernetes::Protocol;
use crate::kubernetes::store::Key;
use crate::nft::Family;

/// All Services that matter, by key.
pub(super) type Services = Arc<BTreeMap<Key, Service>>;

/// Names the node that announces a Service's addresses; empty if none may. A Service with this
/// annotation is one whose addresses come from here.
pub(super) const ANNOUNCER: &str = "kind.x-k8s.io/announced-by";
/// Names the nodes that an announcing node hands connections on to; see [`Backends`].
pub(super) const SHARED_BY: &str = "kind.x-k8s.io/shared-by";
/// Keeps a Service from going while its addresses are still announced.
pub(super) const CLEANUP: &str = "service.kubernetes.io/load-balancer-cleanup";
/// Keeps a node out of what load balancers send traffic to.
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// A Service that has addresses from here, or is to have some.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Service {
    pub(super) uid: String,
    pub(super) version: Option<String>,
    /// Of which families it is to have addresses; none if it is no business of ours any more.
    pub(super) families: Vec<Family>,
    /// The address it asks for.
    pub(super) requested: Option<IpAddr>,
    /// Only a node with one of its pods may serve its traffic.
    pub(super) local: bool,
    /// All connections from one address belong together.
    pub(super) sticky: bool,
    /// Protocols, by number, and ports.
    pub(super) ports: BTreeSet<(u8, u16)>,
    /// The addresses it has.
    pub(super) addresses: Vec<IpAddr>,
    /// The annotation [`ANNOUNCER`].
    pub(super) announcer: Option<String>,
    /// The annotation [`SHARED_BY`].
    pub(super) shared_by: Option<Backends>,
    /// What must be done before the Service may go, [`CLEANUP`] and others'.
    pub(super) finalizers: Vec<String>,
}

impl Service {
    /// Tells whether it waits for its addresses to be taken back before it goes.
    pub(super) fn has_cleanup(&self) -> bool {
        self.finalizers.iter().any(|finalizer| finalizer == CLEANUP)
    }
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
pub(super) fn reduce_service(service: v1::Service) -> Option<Service> {
    let metadata = service.metadata;
    let spec = service.spec.unwrap_or_default();
    let mut annotations = metadata.annotations.unwrap_or_default();
    let balancer = service.status.and_then(|status| status.load_balancer);
    let ingress = balancer.and_then(|balancer| balancer.ingress);
    let addresses = ingress.unwrap_or_default().into_iter();
    let classless = spec.load_balancer_class.is_none();
    let wanted = spec.type_.as_deref() == Some("LoadBalancer")
        && classless
        && metadata.deletion_timestamp.is_none();
    let families = if wanted {
        service_families(&spec)
    } else {
        Vec::new()
    };
    let found = Service {
        uid: metadata.uid.unwrap_or_default(),
        version: metadata.resource_version,
        families,
        requested: spec.load_balancer_ip.and_then(|text| text.parse().ok()),
        local: spec.external_traffic_policy.as_deref() == Some("Local"),
        sticky: spec.session_affinity.as_deref() == Some("ClientIP"),
        ports: spec.ports.iter().flatten().filter_map(port_key).collect(),
        addresses: addresses
            .filter_map(|ingress| ingress.ip?.parse().ok())
            .collect(),
        announcer: annotations.remove(ANNOUNCER),
        shared_by: annotations
            .remove(SHARED_BY)
            .and_then(|text| text.parse().ok()),
        finalizers: metadata.finalizers.unwrap_or_default(),
    };
    let to_release = found.announcer.is_some() || (found.has_cleanup() && classless);
    (wanted || to_release).then_some(found)
}

/// Protocol and number of a port.
fn port_key(port: &v1::ServicePort) -> Option<(u8, u16)> {
    let protocol = Protocol::of_object(port.protocol.as_deref())?;
    Some((protocol.number(), u16::try_from(port.port).ok()?))
}

/// The families of a Service; servers without dual stack do not name them.
fn service_families(spec: &v1::ServiceSpec) -> Vec<Family> {
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
        families.extend(address.map(Family::of_address));
    }
    families
}

/// What matters of a node.
pub(super) fn reduce_node(node: v1::Node) -> Node {
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

/// The nodes that may announce addresses, of those that answer, with their own addresses. Where every node is kept out of load
/// balancing, none is: kubeadm does that to all control planes, and a cluster may have nothing else.
pub(super) fn usable_nodes(
    nodes: &BTreeMap<Key, Node>,
    answers: impl Fn(&str) -> bool,
) -> BTreeMap<&str, &[IpAddr]> {
    let all_excluded = nodes.values().all(|node| node.excluded);
    let may = |node: &Node| node.ready && (all_excluded || !node.excluded);
    let names = nodes.iter().filter(|(_, node)| may(node));
    names
        .map(|(key, node)| (key.name.as_str(), node.addresses.as_slice()))
        .filter(|(name, _)| answers(name))
        .collect()
}

/// The nodes on which a Service has pods that are ready, and how many addresses they have there.
pub(super) type Places = BTreeMap<String, u32>;

/// Counts them.
pub(super) fn reduce_endpoints(endpoints: v1::Endpoints) -> Places {
    let subsets = endpoints.subsets.unwrap_or_default().into_iter();
    let addresses = subsets.flat_map(|subset| subset.addresses.unwrap_or_default());
    // A pod is in several subsets if its ports are ready at different times.
    let distinct: BTreeSet<(String, String)> = addresses
        .filter_map(|address| Some((address.node_name?, address.ip)))
        .collect();
    let mut places = Places::new();
    for (node, _) in distinct {
        *places.entry(node).or_default() += 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: Value, metadata: Value) -> Option<Service> {
        let object = json!({ "metadata": metadata, "spec": spec });
        reduce_service(serde_json::from_value(object).unwrap())
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

    #[test]
    fn one_that_waits_for_its_cleanup_is_remembered_unless_another_class_cleans_up() {
        let deleted = json!({
            "deletionTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": ["example.org/other", CLEANUP],
        });
        for kind in ["LoadBalancer", "ClusterIP"] {
            let found = read(json!({ "type": kind }), deleted.clone()).unwrap();
            assert!(found.has_cleanup() && found.families.is_empty(), "{kind}");
        }
        let others = json!({ "type": "LoadBalancer", "loadBalancerClass": "example.org/x" });
        assert_eq!(read(others, deleted), None);
        let foreign = json!({ "finalizers": ["example.org/other"] });
        assert_eq!(read(json!({ "type": "ClusterIP" }), foreign), None);
    }

    #[test]
    fn a_pod_counts_once_on_its_node() {
        let subset = |addresses: Value| json!({ "addresses": addresses, "notReadyAddresses": [{ "ip": "10.244.9.9", "nodeName": "c" }] });
        let endpoints = json!({ "subsets": [
            subset(json!([{ "ip": "10.244.1.2", "nodeName": "a" }, { "ip": "10.244.1.3", "nodeName": "a" }])),
            subset(json!([{ "ip": "10.244.1.2", "nodeName": "a" }, { "ip": "10.244.2.2", "nodeName": "b" }, { "ip": "10.9.9.9" }])),
        ] });
        let found = reduce_endpoints(serde_json::from_value(endpoints).unwrap());
        assert_eq!(found, Places::from([("a".into(), 2), ("b".into(), 1)]));
    }

    /// Nodes by name, each ready or not and with labels.
    fn nodes(all: &[(&str, &str, Value)]) -> BTreeMap<Key, Node> {
        let read = |(name, ready, labels): &(&str, &str, Value)| {
            let object = json!({
                "metadata": { "name": name, "labels": labels },
                "status": { "conditions": [{ "type": "Ready", "status": ready }] },
            });
            let object: v1::Node = serde_json::from_value(object).unwrap();
            (Key::of_object(&object), reduce_node(object))
        };
        all.iter().map(read).collect()
    }

    fn names(nodes: &BTreeMap<Key, Node>) -> Vec<&str> {
        usable_nodes(nodes, |name| name != "silent")
            .into_keys()
            .collect()
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
