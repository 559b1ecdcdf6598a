//! What policies mean, case by case as the API's documentation has it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::compile::compile_policies;
use super::model::{NODE, Packet, World, is_closed, passes};
use crate::nft::Family;

/// Two namespaces with a client and a server each, the servers on this node; and the outside.
const CLIENT: &str = "10.244.1.10";
const OTHER_CLIENT: &str = "10.244.1.20";
const SERVER: &str = "10.244.0.10";
const OTHER_SERVER: &str = "10.244.0.20";
const OUTSIDE: &str = "192.0.2.1";

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

fn world(policy: Value) -> World {
    let mut world = World::new();
    world.namespace("a", "red");
    world.namespace("b", "blue");
    world.pod(
        ("a", "client", "far"),
        "client",
        &[CLIENT, "fd00:10:244:1::10"],
        json!({}),
    );
    world.pod(
        ("a", "server", NODE),
        "server",
        &[SERVER, "fd00:10:244::10"],
        json!({}),
    );
    world.pod(("b", "client", "far"), "client", &[OTHER_CLIENT], json!({}));
    world.pod(("b", "server", NODE), "server", &[OTHER_SERVER], json!({}));
    if !policy.is_null() {
        world.policy("a", policy);
    }
    world
}

/// Tells whether a connection comes about, as far as this node is asked.
pub(super) fn connects(world: &World, from: &str, to: &str, (protocol, port): (u8, u16)) -> bool {
    let (from, to): (IpAddr, IpAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let ranges = ["10.244.0.0/24", "fd00:10:244::/64"].map(|text| text.parse().unwrap());
    let refused = BTreeSet::new();
    let table = compile_policies(&world.cluster, &ranges, &refused, Family::of_address(from));
    assert!(is_closed(&table));
    let packet = Packet {
        from,
        to,
        protocol,
        port,
    };
    passes(&table, "leaving", &packet)
}

/// Asserts who reaches the server in namespace a on TCP 8080: its neighbour, the other namespace, the
/// outside.
fn assert_ingress(policy: Value, expected: [bool; 3]) {
    let world = world(policy.clone());
    let found =
        [CLIENT, OTHER_CLIENT, OUTSIDE].map(|from| connects(&world, from, SERVER, (TCP, 8080)));
    assert_eq!(found, expected, "{policy}");
    assert!(
        connects(&world, CLIENT, OTHER_SERVER, (TCP, 8080)),
        "{policy}"
    );
}

#[test]
fn without_policies_and_rules() {
    let ingress = |rules: Value| json!({ "podSelector": {}, "ingress": rules });
    for (policy, expected) in [
        (json!(null), [true, true, true]),
        (ingress(json!([])), [false, false, false]),
        (ingress(json!([{}])), [true, true, true]),
        (
            ingress(json!([{ "from": [{ "podSelector": {} }], "ports": [{ "port": "web" }] }])),
            [true, false, false],
        ),
        (
            json!({ "podSelector": { "matchLabels": { "app": "none" } }, "ingress": [] }),
            [true, true, true],
        ),
        (
            json!({ "podSelector": {}, "policyTypes": ["Egress"], "ingress": [] }),
            [true, true, true],
        ),
        (json!({ "podSelector": {} }), [false, false, false]),
    ] {
        assert_ingress(policy, expected);
    }
}

#[test]
fn ingress_from_peers() {
    let from = |peers: Value| json!({ "podSelector": {}, "ingress": [{ "from": peers }] });
    for (policy, expected) in [
        (from(json!([])), [true, true, true]),
        (from(json!([{}])), [false, false, false]),
        (from(json!([{ "podSelector": {} }])), [true, false, false]),
        (
            from(json!([{ "podSelector": { "matchLabels": { "app": "server" } } }])),
            [false, false, false],
        ),
        (
            from(json!([{ "namespaceSelector": {} }])),
            [true, true, false],
        ),
        (
            from(json!([{ "namespaceSelector": { "matchLabels": { "team": "blue" } } }])),
            [false, true, false],
        ),
        (
            from(json!([{
                "namespaceSelector": { "matchLabels": { "team": "blue" } },
                "podSelector": { "matchLabels": { "app": "server" } },
            }])),
            [false, false, false],
        ),
        (
            from(json!([
                { "namespaceSelector": { "matchLabels": { "team": "blue" } } },
                { "podSelector": { "matchLabels": { "app": "client" } } },
            ])),
            [true, true, false],
        ),
        (
            from(json!([{ "ipBlock": { "cidr": "0.0.0.0/0" } }])),
            [true, true, true],
        ),
        (
            from(json!([{ "ipBlock": { "cidr": "0.0.0.0/0", "except": ["10.244.1.0/28"] } }])),
            [false, true, true],
        ),
        (
            from(json!([{ "ipBlock": { "cidr": "nonsense" } }])),
            [false, false, false],
        ),
        (
            from(json!([{ "ipBlock": { "cidr": "0.0.0.0/0", "except": ["nonsense"] } }])),
            [false, false, false],
        ),
    ] {
        assert_ingress(policy, expected);
    }
}

#[test]
fn ingress_on_ports() {
    let ports = |ports: Value| json!({ "podSelector": {}, "ingress": [{ "ports": ports }] });
    for (policy, expected) in [
        (ports(json!([])), [true, true, true]),
        (ports(json!([{ "port": 8080 }])), [true, true, true]),
        (ports(json!([{ "port": 80 }])), [false, false, false]),
        (
            ports(json!([{ "port": 8080, "protocol": "UDP" }])),
            [false, false, false],
        ),
        (ports(json!([{ "protocol": "TCP" }])), [true, true, true]),
        (
            ports(json!([{ "port": 8000, "endPort": 8080 }])),
            [true, true, true],
        ),
        (
            ports(json!([{ "port": 8000, "endPort": 8079 }])),
            [false, false, false],
        ),
        (ports(json!([{ "port": "web" }])), [true, true, true]),
        (ports(json!([{ "port": "dns" }])), [false, false, false]),
        (
            ports(json!([{ "port": "dns", "protocol": "UDP" }])),
            [false, false, false],
        ),
        (
            ports(json!([{ "port": 1, "protocol": "OTHER" }])),
            [false, false, false],
        ),
        (
            ports(json!([{ "port": -1 }, { "port": 8080 }])),
            [true, true, true],
        ),
    ] {
        assert_ingress(policy, expected);
    }
}

#[test]
fn egress_is_what_the_policies_allow() {
    let egress =
        |rules: Value| json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": rules });
    let to = |peers: Value| egress(json!([{ "to": peers }]));
    // Whom the server in namespace a reaches: its neighbour on TCP 8080, the other namespace's server
    // on UDP 53, the outside on TCP 443.
    for (policy, expected) in [
        (egress(json!([])), [false, false, false]),
        (egress(json!([{}])), [true, true, true]),
        (
            json!({ "podSelector": {}, "egress": [{}] }),
            [true, true, true],
        ),
        (
            json!({ "podSelector": {}, "policyTypes": ["Ingress"], "egress": [] }),
            [true, true, true],
        ),
        (to(json!([{ "podSelector": {} }])), [true, false, false]),
        (
            to(json!([{ "namespaceSelector": {} }])),
            [true, true, false],
        ),
        (
            to(json!([{ "ipBlock": { "cidr": "192.0.2.0/24" } }])),
            [false, false, true],
        ),
        (
            egress(json!([{ "ports": [{ "port": "web" }] }])),
            [true, false, false],
        ),
        (
            egress(json!([{
                "to": [{ "namespaceSelector": {} }],
                "ports": [{ "port": "dns", "protocol": "UDP" }],
            }])),
            [false, true, false],
        ),
        (
            egress(json!([{
                "to": [{ "ipBlock": { "cidr": "10.244.0.0/16" } }],
                "ports": [{ "port": "web" }, { "port": "dns", "protocol": "UDP" }],
            }])),
            [true, true, false],
        ),
        (
            egress(json!([
                { "to": [{ "ipBlock": { "cidr": "192.0.2.1/32" } }], "ports": [{ "port": 443 }] },
                { "to": [{ "podSelector": {} }] },
            ])),
            [true, false, true],
        ),
    ] {
        let world = world(policy.clone());
        let found = [
            connects(&world, SERVER, CLIENT, (TCP, 8080)),
            connects(&world, SERVER, OTHER_SERVER, (UDP, 53)),
            connects(&world, SERVER, OUTSIDE, (TCP, 443)),
        ];
        assert_eq!(found, expected, "{policy}");
    }
}

#[test]
fn policies_add_up_and_both_sides_must_agree() {
    let mut world = world(json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] }));
    let allow =
        json!([{ "from": [{ "namespaceSelector": { "matchLabels": { "team": "blue" } } }] }]);
    world.policy("a", json!({ "podSelector": {}, "ingress": allow }));
    assert!(connects(&world, OTHER_CLIENT, SERVER, (TCP, 1)));
    assert!(!connects(&world, CLIENT, SERVER, (TCP, 1)));
    // From this node to this node: the sender's policy and the receiver's.
    assert!(!connects(&world, SERVER, OTHER_SERVER, (TCP, 1)));
    world.policy("b", json!({ "podSelector": {} }));
    world.policy(
        "a",
        json!({ "podSelector": {}, "egress": [{}], "policyTypes": ["Egress"] }),
    );
    assert!(!connects(&world, SERVER, OTHER_SERVER, (TCP, 1)));
    world.policy("b", json!({ "podSelector": {}, "ingress": [{}] }));
    assert!(connects(&world, SERVER, OTHER_SERVER, (TCP, 1)));
    assert!(connects(&world, SERVER, SERVER, (TCP, 1)), "itself");
}

#[test]
fn each_family_is_judged_by_its_own_addresses() {
    let peers = json!([{ "ipBlock": { "cidr": "fd00:10:244:1::/64" } }, { "podSelector": {} }]);
    let six = world(json!({ "podSelector": {}, "ingress": [{ "from": peers }] }));
    let server = "fd00:10:244::10";
    assert!(connects(&six, "fd00:10:244:1::99", server, (TCP, 1)));
    assert!(!connects(&six, "fd00:10:244:2::99", server, (TCP, 1)));
    assert!(connects(&six, CLIENT, SERVER, (TCP, 1)));
    assert!(!connects(&six, OUTSIDE, SERVER, (TCP, 1)));
}

#[test]
fn pods_on_the_network_of_their_node_and_ended_ones_are_no_pods() {
    let deny = json!({ "podSelector": {}, "ingress": [{ "from": [{ "podSelector": {} }] }] });
    let mut world = world(deny);
    world.pod(
        ("a", "host", NODE),
        "x",
        &["172.18.0.2"],
        json!({ "spec": { "hostNetwork": true } }),
    );
    assert!(connects(&world, OUTSIDE, "172.18.0.2", (TCP, 1)));
    assert!(
        !connects(&world, "172.18.0.2", SERVER, (TCP, 1)),
        "from another node"
    );
    for phase in ["Succeeded", "Failed"] {
        world.pod(
            ("a", "client", "far"),
            "client",
            &[CLIENT],
            json!({ "status": { "phase": phase } }),
        );
        assert!(!connects(&world, CLIENT, SERVER, (TCP, 1)), "{phase}");
    }
}

#[test]
fn a_pod_is_restricted_before_its_address_is_known() {
    let policy = |types: &[&str]| {
        world(json!({ "podSelector": { "matchLabels": { "app": "new" } }, "policyTypes": types }))
    };
    let new = "10.244.0.77";
    let ingress = policy(&["Ingress"]);
    assert!(
        connects(&ingress, new, OUTSIDE, (TCP, 1)),
        "nobody restricts that"
    );
    assert!(!connects(&ingress, OUTSIDE, new, (TCP, 1)));
    let mut world = policy(&["Egress", "Ingress"]);
    for _ in 0..2 {
        assert!(!connects(&world, new, OUTSIDE, (TCP, 1)));
        assert!(!connects(&world, OUTSIDE, new, (TCP, 1)));
        world.pod(("a", "new", NODE), "new", &[], json!({}));
    }
    assert!(connects(&world, SERVER, OUTSIDE, (TCP, 1)), "a known pod");
    assert!(
        connects(&world, OUTSIDE, "10.244.1.77", (TCP, 1)),
        "another node's pod"
    );
    world.pod(("a", "new", NODE), "new", &["10.244.0.78"], json!({}));
    assert!(!connects(&world, "10.244.0.78", OUTSIDE, (TCP, 1)));
    // Another one that nobody restricts, and that is started again: it has its new address once it is known.
    world.pod(("a", "other", NODE), "other", &["10.244.0.79"], json!({}));
    assert!(connects(&world, "10.244.0.79", OUTSIDE, (TCP, 1)));
    assert!(!connects(&world, "10.244.0.80", OUTSIDE, (TCP, 1)));
}
