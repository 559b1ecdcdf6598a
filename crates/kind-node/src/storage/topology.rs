//! On which node a volume is made that no pod waits for.
//!
//! The scheduler chooses a node for a claim only when a pod needs it. Claims of a class with the volume binding
//! mode Immediate come before, so the instances of this program choose: each for itself, from the same facts by the
//! same rule. Should two of them see different facts for a moment, the name of the volume lets only one make it.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::{Node, TopologySelectorTerm};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::ResourceExt;

/// Taints that keep pods away which do not tolerate them.
const REPELLING: [&str; 2] = ["NoSchedule", "NoExecute"];

/// The name of the node for a claim with that unique id: one that the class allows and that is ready for pods. One
/// that repels them, as most control planes do, is taken if there is no other.
///
/// # Errors
/// There is none; why, as the user is told.
pub(super) fn choose_node<'a>(
    uid: &str,
    class: &StorageClass,
    nodes: &'a [Node],
) -> Result<&'a str, String> {
    let allowed: Vec<_> = nodes
        .iter()
        .filter(|node| allows_node(class, node))
        .collect();
    let ready = allowed.iter().filter(|node| find_obstacle(node).is_none());
    let ready: Vec<_> = ready.map(|node| (repels_pods(node), *node)).collect();
    let welcoming = ready.iter().any(|(repels, _)| !repels);
    let usable = ready
        .iter()
        .filter(|(repels, _)| !(welcoming && *repels))
        .filter_map(|(_, node)| node.metadata.name.as_deref());
    usable
        .max_by_key(|name| (claim_weight(uid, name), *name))
        .ok_or_else(|| explain_refusal(class, &allowed))
}

/// Whether the instance on a node is the one that tells a claim what concerns no node: that on the first of those
/// that are ready.
pub(super) fn is_spokesman(node: &str, nodes: &[Node]) -> bool {
    let names = |ready: bool| {
        let nodes = nodes.iter().filter(move |node| is_ready(node) == ready);
        nodes.filter_map(|node| node.metadata.name.as_deref()).min()
    };
    names(true).or_else(|| names(false)) == Some(node)
}

/// Whether a class allows volumes on a node. A class that names no topologies allows all; a topology without
/// requirements is that of no node.
fn allows_node(class: &StorageClass, node: &Node) -> bool {
    let terms = class.allowed_topologies.as_deref().unwrap_or_default();
    terms.is_empty() || terms.iter().any(|term| matches_term(term, node))
}

fn matches_term(term: &TopologySelectorTerm, node: &Node) -> bool {
    let wanted = term.match_label_expressions.as_deref().unwrap_or_default();
    let has = |key: &str, values: &[String]| {
        let label = node.labels().get(key);
        label.is_some_and(|label| values.contains(label))
    };
    !wanted.is_empty() && wanted.iter().all(|label| has(&label.key, &label.values))
}

/// Why no pod that is made now comes to a node.
fn find_obstacle(node: &Node) -> Option<&'static str> {
    let spec = node.spec.as_ref();
    if node.metadata.deletion_timestamp.is_some() {
        Some("is being deleted")
    } else if !is_ready(node) {
        Some("is not ready")
    } else if spec.and_then(|spec| spec.unschedulable) == Some(true) {
        Some("is cordoned")
    } else {
        None
    }
}

fn is_ready(node: &Node) -> bool {
    let status = node.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref());
    let mut conditions = conditions.unwrap_or_default().iter();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn repels_pods(node: &Node) -> bool {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref());
    let mut taints = taints.unwrap_or_default().iter();
    taints.any(|taint| REPELLING.contains(&taint.effect.as_str()))
}

/// How much a node wants a claim (rendezvous hashing with FNV-1a): claims spread over the nodes, and keep
/// their node when others come and go.
fn claim_weight(uid: &str, node: &str) -> u64 {
    let bytes = uid.bytes().chain([b'/']).chain(node.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn explain_refusal(class: &StorageClass, allowed: &[&Node]) -> String {
    let name = class.name_any();
    if allowed.is_empty() {
        let topologies = describe_terms(class.allowed_topologies.as_deref().unwrap_or_default());
        return format!(
            "no node is in the allowedTopologies of storage class {name}: {topologies}"
        );
    }
    let nodes = allowed.iter().map(|node| {
        let why = find_obstacle(node).unwrap_or("has no name");
        format!("{} {why}", node.name_any())
    });
    let nodes: Vec<_> = nodes.collect();
    format!(
        "no node that storage class {name} allows takes volumes now: {}",
        nodes.join(", ")
    )
}

/// Topologies as people write them.
fn describe_terms(terms: &[TopologySelectorTerm]) -> String {
    let mut text = String::new();
    for term in terms {
        if !text.is_empty() {
            text.push_str(", or ");
        }
        let labels = term.match_label_expressions.as_deref().unwrap_or_default();
        if labels.is_empty() {
            text.push_str("a topology without labels, which is that of no node");
        }
        for (number, label) in labels.iter().enumerate() {
            let joint = if number > 0 { " and " } else { "" };
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "{joint}{} in ({})",
                label.key,
                label.values.join(", ")
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// A node of a name, with marks: `!` not ready, `-` cordoned, `#` tainted, `x` being deleted, and a zone.
    fn node(text: &str) -> Node {
        let (name, zone) = text.split_once('@').unwrap_or((text, "z1"));
        let plain = name.trim_end_matches(['!', '-', '#', 'x']);
        let ready = if name.contains('!') { "False" } else { "True" };
        let taints = if name.contains('#') {
            json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}])
        } else {
            json!([{"key": "soft", "effect": "PreferNoSchedule"}])
        };
        let deleted = name.contains('x').then_some("2026-01-01T00:00:00Z");
        serde_json::from_value(json!({
            "metadata": {
                "name": plain, "deletionTimestamp": deleted,
                "labels": {"kubernetes.io/hostname": plain, "topology.kubernetes.io/zone": zone},
            },
            "spec": {"taints": taints, "unschedulable": name.contains('-')},
            "status": {"conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": ready},
            ]},
        }))
        .unwrap()
    }

    fn nodes(text: &str) -> Vec<Node> {
        text.split_whitespace().map(node).collect()
    }

    fn class(topologies: Value) -> StorageClass {
        serde_json::from_value(json!({
            "metadata": {"name": "now"}, "provisioner": "rancher.io/local-path",
            "allowedTopologies": topologies,
        }))
        .unwrap()
    }

    fn hostnames(names: &[&str]) -> Value {
        json!([{"matchLabelExpressions": [{"key": "kubernetes.io/hostname", "values": names}]}])
    }

    #[test]
    fn a_node_is_chosen_that_the_class_allows() {
        let zone = |zone: &str| json!({"key": "topology.kubernetes.io/zone", "values": [zone]});
        let host = |name: &str| json!({"key": "kubernetes.io/hostname", "values": [name]});
        let term = |labels: Vec<Value>| json!({"matchLabelExpressions": labels});
        for (topologies, there, expected) in [
            (json!(null), "only#", "only"),
            (json!([]), "control# worker", "worker"),
            (json!(null), "control worker!", "control"),
            (json!(null), "control worker-", "control"),
            (json!(null), "control workerx", "control"),
            (json!(null), "control# worker! other-", "control"),
            (hostnames(&["b"]), "a b c", "b"),
            (hostnames(&["b", "c"]), "a b! c", "c"),
            (hostnames(&["control"]), "control# worker", "control"),
            (json!([term(vec![zone("z2")])]), "a@z1 b@z2", "b"),
            (
                json!([term(vec![zone("z2"), host("c")])]),
                "a@z1 b@z2 c@z2 d@z1",
                "c",
            ),
            (
                json!([term(vec![host("none")]), term(vec![host("c")])]),
                "a b c",
                "c",
            ),
            (json!([term(vec![]), term(vec![host("b")])]), "a b", "b"),
        ] {
            let (class, nodes) = (class(topologies.clone()), nodes(there));
            assert_eq!(
                choose_node("uid", &class, &nodes),
                Ok(expected),
                "{topologies} {there}"
            );
        }
    }

    #[test]
    fn a_claim_is_told_why_no_node_is_chosen() {
        let two = json!([
            {"matchLabelExpressions": [
                {"key": "a", "values": ["1", "2"]}, {"key": "b", "values": ["3"]},
            ]},
            {},
        ]);
        for (topologies, there, told) in [
            (
                hostnames(&["elsewhere", "nowhere"]),
                "a b",
                "no node is in the allowedTopologies of storage class now: \
                 kubernetes.io/hostname in (elsewhere, nowhere)",
            ),
            (
                two,
                "a",
                "no node is in the allowedTopologies of storage class now: a in (1, 2) and b in (3), or \
                 a topology without labels, which is that of no node",
            ),
            (
                hostnames(&["b", "c"]),
                "a b! c-",
                "no node that storage class now allows takes volumes now: b is not ready, c is cordoned",
            ),
            (
                json!(null),
                "ax",
                "no node that storage class now allows takes volumes now: a is being deleted",
            ),
        ] {
            let (class, nodes) = (class(topologies), nodes(there));
            assert_eq!(choose_node("uid", &class, &nodes), Err(told.to_owned()));
        }
    }

    #[test]
    fn one_instance_speaks() {
        for (there, expected) in [("b a c", "a"), ("a! b c", "b"), ("b! a!", "a")] {
            let nodes = nodes(there);
            let spokesmen = nodes.iter().map(ResourceExt::name_any);
            let spokesmen: Vec<_> = spokesmen
                .filter(|name| is_spokesman(name, &nodes))
                .collect();
            assert_eq!(spokesmen, [expected], "{there}");
        }
    }

    #[test]
    fn claims_spread_over_the_nodes() {
        let (class, nodes) = (class(json!(null)), nodes("a b c"));
        let mut counts = BTreeMap::new();
        for number in 0..300 {
            let chosen = choose_node(&format!("uid-{number}"), &class, &nodes).unwrap();
            *counts.entry(chosen).or_insert(0) += 1;
        }
        assert!(
            counts.len() == 3 && counts.values().all(|count| *count > 50),
            "{counts:?}"
        );
    }

    proptest! {
        /// Whatever order the API server lists nodes in; and a node that goes moves no claim of another.
        #[test]
        fn all_instances_choose_the_same(uid in "[a-f0-9-]{1,36}", gone in 0..4_usize) {
            let class = class(json!(null));
            let mut all = nodes("a b c d");
            let chosen = choose_node(&uid, &class, &all).unwrap().to_owned();
            all.reverse();
            prop_assert_eq!(choose_node(&uid, &class, &all), Ok(chosen.as_str()));
            let removed = all.remove(gone).name_any();
            if removed != chosen {
                prop_assert_eq!(choose_node(&uid, &class, &all), Ok(chosen.as_str()));
            }
        }
    }
}
