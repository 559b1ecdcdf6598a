//! The nodes of the cluster, as far as the network cares.

use std::net::IpAddr;

use ipnet::IpNet;
use k8s_openapi::api::core::v1;
use kube::runtime::watcher::Event;

use super::settings::Settings;
use crate::kubernetes::store::Store;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// When it was registered, in seconds: of two that want the same, the older keeps it.
    pub(super) created: i64,
    /// Addresses inside the cluster's network.
    pub(super) addresses: Vec<IpAddr>,
    /// Ranges of its pods.
    pub(super) pod_cidrs: Vec<IpNet>,
}

/// All nodes by name, built from the events of a watch.
#[derive(Debug, Default)]
pub(super) struct Nodes(Store<Node>);

impl Nodes {
    /// Takes an event in; tells whether there is something new to act on.
    pub(super) fn apply_event(&mut self, event: Event<v1::Node>) -> bool {
        self.0.apply_event(event, |node| Some(reduce_node(node)))
    }

    /// Tells whether all nodes are known: before that, nothing may be removed.
    pub(super) fn complete(&self) -> bool {
        self.0.complete()
    }

    /// This node, once it is registered.
    pub(super) fn own(&self, settings: &Settings) -> Option<&Node> {
        let mut nodes = self.0.all_objects().iter();
        let own = nodes.find(|(key, node)| is_own(&key.name, node, settings));
        own.map(|(_, node)| node)
    }

    /// All nodes but this one with their names, the oldest first.
    pub(super) fn others(&self, settings: &Settings) -> Vec<(&str, &Node)> {
        let nodes = self.0.all_objects().iter();
        let mut others: Vec<_> = nodes
            .filter(|(key, node)| !is_own(&key.name, node, settings))
            .map(|(key, node)| (key.name.as_str(), node))
            .collect();
        others.sort_by_key(|(name, node)| (node.created, *name));
        others
    }
}

fn is_own(name: &str, node: &Node, settings: &Settings) -> bool {
    match &settings.node {
        Some(own) => name == own,
        None => node.addresses.contains(&settings.host),
    }
}

/// What matters of a node. What cannot be read is left out: it comes from the API.
fn reduce_node(node: v1::Node) -> Node {
    let created = node.metadata.creation_timestamp;
    let spec = node.spec.unwrap_or_default();
    let addresses = node.status.and_then(|status| status.addresses);
    let cidrs = match spec.pod_cidrs {
        Some(cidrs) if !cidrs.is_empty() => cidrs,
        _ => spec.pod_cidr.into_iter().collect(),
    };
    Node {
        created: created.map_or(0, |time| time.0.as_second()),
        addresses: addresses
            .unwrap_or_default()
            .into_iter()
            .filter(|address| address.type_ == "InternalIP")
            .filter_map(|address| address.address.parse().ok())
            .collect(),
        pod_cidrs: cidrs
            .iter()
            .filter_map(|cidr| cidr.parse::<IpNet>().ok())
            .map(|cidr| cidr.trunc())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, address: &str, cidr: &str) -> v1::Node {
        serde_json::from_value(json!({
            "metadata": { "name": name },
            "spec": { "podCIDR": cidr, "podCIDRs": [cidr] },
            "status": { "addresses": [
                { "type": "InternalIP", "address": address },
                { "type": "Hostname", "address": name },
            ] },
        }))
        .unwrap()
    }

    fn settings(node: Option<&str>) -> Settings {
        Settings {
            pod_subnets: vec!["10.244.0.0/16".parse().unwrap()],
            service_subnets: Vec::new(),
            host: "172.18.0.2".parse().unwrap(),
            node: node.map(str::to_owned),
            endpoint: None,
        }
    }

    #[test]
    fn a_restarted_watch_forgets_nodes_that_are_gone() {
        let mut nodes = Nodes::default();
        nodes.apply_event(Event::Init);
        nodes.apply_event(Event::InitApply(node("a", "172.18.0.2", "10.244.0.0/24")));
        nodes.apply_event(Event::InitApply(node("b", "172.18.0.3", "10.244.1.0/24")));
        assert!(!nodes.complete());
        assert!(nodes.apply_event(Event::InitDone));
        assert!(nodes.complete());
        assert_eq!(nodes.others(&settings(None)).len(), 1);

        nodes.apply_event(Event::Init);
        nodes.apply_event(Event::InitApply(node("a", "172.18.0.2", "10.244.0.0/24")));
        assert_eq!(
            nodes.others(&settings(None)).len(),
            1,
            "not before the list is complete"
        );
        assert!(nodes.apply_event(Event::InitDone));
        assert_eq!(nodes.others(&settings(None)).len(), 0);
    }

    #[test]
    fn only_news_for_the_network_are_news() {
        let mut nodes = Nodes::default();
        assert!(
            nodes.apply_event(Event::InitDone),
            "an empty list is a state as well"
        );
        let mut first = node("a", "172.18.0.2", "10.244.0.0/24");
        assert!(nodes.apply_event(Event::Apply(first.clone())));
        first.metadata.resource_version = Some("2".into());
        assert!(!nodes.apply_event(Event::Apply(first.clone())));
        assert!(nodes.apply_event(Event::Delete(first.clone())));
        assert!(!nodes.apply_event(Event::Delete(first)));
    }

    #[test]
    fn the_own_node_is_known_by_name_or_by_address() {
        let mut nodes = Nodes::default();
        nodes.apply_event(Event::Apply(node("a", "172.18.0.2", "10.244.0.0/24")));
        nodes.apply_event(Event::Apply(node("b", "172.18.0.3", "10.244.1.0/24")));
        let cidr = |settings: &Settings| nodes.own(settings).unwrap().pod_cidrs[0].to_string();
        assert_eq!(cidr(&settings(None)), "10.244.0.0/24");
        assert_eq!(cidr(&settings(Some("b"))), "10.244.1.0/24");
        assert!(nodes.own(&settings(Some("c"))).is_none());
    }

    #[test]
    fn what_is_not_an_address_is_left_out() {
        let facts = reduce_node(node("a", "not an address", "10.244.0.7/24"));
        assert!(facts.addresses.is_empty());
        assert_eq!(facts.pod_cidrs[0].to_string(), "10.244.0.0/24");
    }

    #[test]
    fn the_oldest_comes_first_whatever_its_name() {
        let mut nodes = Nodes::default();
        for (name, created) in [
            ("b", "2026-01-01T00:00:01Z"),
            ("c", "2026-01-01T00:00:00Z"),
            ("d", "2026-01-01T00:00:01Z"),
        ] {
            let mut node = node(name, "172.18.0.9", "10.244.1.0/24");
            node.metadata.creation_timestamp = serde_json::from_value(json!(created)).unwrap();
            nodes.apply_event(Event::Apply(node));
        }
        let settings = settings(None);
        let names: Vec<_> = nodes
            .others(&settings)
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names, ["c", "b", "d"]);
    }
}
