//! Random policies, read in two ways: as rules, and as the API's documentation has it.

use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::model::{NODE, World};
use super::semantics_tests::{TCP, UDP, connects};

/// A random policy of the small world below, in few words: which pods, which types, which rules.
fn policies() -> impl Strategy<Value = Vec<(usize, Value)>> {
    let app = prop::sample::select(vec!["x", "y"]).boxed();
    let selector = prop_oneof![
        Just(json!({})),
        app.clone()
            .prop_map(|app| json!({ "matchLabels": { "app": app } })),
        app.prop_map(|app| json!({ "matchExpressions": [
            { "key": "app", "operator": "NotIn", "values": [app] },
        ] })),
    ]
    .boxed();
    let team = prop_oneof![
        Just(json!({})),
        prop::sample::select(vec!["t0", "t1"])
            .prop_map(|team| json!({ "matchLabels": { "team": team } })),
    ];
    let peer = prop_oneof![
        selector
            .clone()
            .prop_map(|pods| json!({ "podSelector": pods })),
        team.clone()
            .prop_map(|namespaces| json!({ "namespaceSelector": namespaces })),
        (selector.clone(), team).prop_map(
            |(pods, namespaces)| json!({ "podSelector": pods, "namespaceSelector": namespaces })
        ),
        (0u8..8, 29u8..=32, 0u8..8).prop_map(|(host, length, hole)| json!({ "ipBlock": {
            "cidr": format!("10.244.0.{host}/{length}"), "except": [format!("10.244.0.{hole}/32")],
        } })),
    ];
    let port = prop_oneof![
        (1u16..4, 0u16..3)
            .prop_map(|(first, more)| json!({ "port": first, "endPort": first + more })),
        Just(json!({ "port": "web" })),
        Just(json!({ "protocol": "UDP" })),
    ];
    let rule = (
        prop::collection::vec(peer, 0..3),
        prop::collection::vec(port, 0..3),
    );
    let rules = prop::collection::vec(rule, 0..3).boxed();
    let types = prop::sample::subsequence(vec!["Ingress", "Egress"], 0..=2);
    let policy = (0usize..2, selector, types, rules.clone(), rules).prop_map(
        |(namespace, pods, types, ingress, egress)| {
            let named = |key: &str, rules: Vec<(Vec<Value>, Vec<Value>)>| -> Value {
                let rule = |(peers, ports)| json!({ key: peers, "ports": ports });
                rules.into_iter().map(rule).collect()
            };
            let spec = json!({
                "podSelector": pods, "policyTypes": types,
                "ingress": named("from", ingress), "egress": named("to", egress),
            });
            (namespace, spec)
        },
    );
    prop::collection::vec(policy, 0..4)
}

/// The pods of the small world: number, namespace, app. Pod n has the address 10.244.0.n.
const PODS: [(u8, usize, &str); 5] = [
    (1, 0, "x"),
    (2, 0, "y"),
    (3, 1, "x"),
    (4, 1, "y"),
    (5, 1, "x"),
];

/// The documentation's words, one by one, without sets, maps or chains.
fn allowed(policies: &[(usize, Value)], from: u8, to: u8, (protocol, port): (&str, u16)) -> bool {
    let pod = |number: u8| PODS.iter().find(|pod| pod.0 == number);
    let side = |own: u8, other: u8, kind: &str, rules: &str, peers: &str| {
        let restricts = |spec: &Value| {
            spec["policyTypes"]
                .as_array()
                .unwrap()
                .contains(&json!(kind))
        };
        let Some((_, namespace, app)) = pod(own) else {
            // A pod of this node that nobody knows yet may be restricted.
            return !policies.iter().any(|(_, spec)| restricts(spec));
        };
        let concerned: Vec<&Value> = policies
            .iter()
            .filter(|(place, spec)| place == namespace && meets(&spec["podSelector"], "app", app))
            .map(|(_, spec)| spec)
            .filter(|spec| restricts(spec))
            .collect();
        if concerned.is_empty() || own == other {
            return true;
        }
        let rules = concerned
            .iter()
            .flat_map(|spec| spec[rules].as_array().unwrap());
        rules.into_iter().any(|rule| {
            let peers = rule[peers].as_array().unwrap();
            let ports = rule["ports"].as_array().unwrap();
            (peers.is_empty()
                || peers
                    .iter()
                    .any(|peer| is_peer(peer, *namespace, other, pod(other))))
                && (ports.is_empty()
                    || ports
                        .iter()
                        .any(|wanted| is_port(wanted, protocol, port, pod(to))))
        })
    };
    side(from, to, "Egress", "egress", "to") && side(to, from, "Ingress", "ingress", "from")
}

fn is_peer(peer: &Value, namespace: usize, number: u8, pod: Option<&(u8, usize, &str)>) -> bool {
    if let Some(block) = peer.get("ipBlock") {
        let range: ipnet::IpNet = block["cidr"].as_str().unwrap().parse().unwrap();
        let hole = format!("10.244.0.{number}/32");
        return range.contains(&IpAddr::from([10, 244, 0, number]))
            && block["except"][0] != json!(hole);
    }
    let Some((_, place, app)) = pod else {
        return false;
    };
    let pods = peer
        .get("podSelector")
        .is_none_or(|selector| meets(selector, "app", app));
    let team = format!("t{place}");
    let namespaces = match peer.get("namespaceSelector") {
        None => *place == namespace,
        Some(selector) => meets(selector, "team", &team),
    };
    pods && namespaces
}

fn is_port(
    wanted: &Value,
    protocol: &str,
    port: u16,
    receiver: Option<&(u8, usize, &str)>,
) -> bool {
    if wanted["protocol"].as_str().unwrap_or("TCP") != protocol {
        return false;
    }
    match &wanted["port"] {
        Value::Null => true,
        Value::String(_) => receiver.is_some() && port == 2,
        first => {
            let last = wanted["endPort"].as_u64().unwrap();
            (first.as_u64().unwrap()..=last).contains(&port.into())
        }
    }
}

fn meets(selector: &Value, key: &str, value: &str) -> bool {
    if let Some(wanted) = selector.pointer(&format!("/matchLabels/{key}")) {
        return wanted == value;
    }
    selector.pointer("/matchExpressions/0/values/0") != Some(&json!(value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn rules_mean_what_the_policies_say(policies in policies()) {
        let mut world = World::new();
        for namespace in 0..2 {
            world.namespace(&format!("n{namespace}"), &format!("t{namespace}"));
        }
        let ports = json!([{ "name": "c", "ports": [{ "name": "web", "containerPort": 2 }] }]);
        for (number, namespace, app) in PODS {
            let place = (format!("n{namespace}"), format!("pod-{number}"));
            let place = (place.0.as_str(), place.1.as_str(), NODE);
            let address = format!("10.244.0.{number}");
            world.pod(place, app, &[&address], json!({ "spec": { "containers": ports } }));
        }
        for (namespace, spec) in &policies {
            world.policy(&format!("n{namespace}"), spec.clone());
        }
        for from in 0..8 {
            for to in 0..8 {
                for (protocol, number) in [("TCP", TCP), ("UDP", UDP)] {
                    for port in 1..6 {
                        let address = |host: u8| format!("10.244.0.{host}");
                        let found = connects(&world, &address(from), &address(to), (number, port));
                        let expected = allowed(&policies, from, to, (protocol, port));
                        prop_assert_eq!(found, expected, "{} to {}, {} {}", from, to, protocol, port);
                    }
                }
            }
        }
    }
}
