//! A machine on another link of the host's gets nothing of a network's nodes.

use std::collections::BTreeSet;
use std::net::TcpListener;

use kind_net::nft;
use kind_net::wall::{names_and_proxies, network_ruleset};
use serde_json::json;

use crate::place::{BRIDGE, NODES, Place, SUBNETS, Space, UPLINK, address, bridge, listen};

/// Another network of nodes on the same host.
const OTHER_BRIDGE: &str = "br-ba9876543210";
const OTHER_SUBNETS: [&str; 2] = ["172.31.0.1/16", "fc00:31::1/64"];
const OTHER_NODE: [&str; 2] = ["172.31.0.2", "fc00:31::2"];

/// What listens on a node and on the host's addresses in the network.
fn listeners(place: &Place) -> Vec<TcpListener> {
    let of_node = |text: &str| place.nodes[0].run(|| listen(text.parse().unwrap(), 6443));
    let of_host = |text: &str| place.host.run(|| listen(address(text), 53));
    let of_nodes = NODES[0].map(of_node);
    of_nodes.into_iter().chain(SUBNETS.map(of_host)).collect()
}

#[test]
fn a_machine_on_another_link_gets_nothing() {
    let place = Place::new();
    for server in &listeners(&place) {
        assert!(place.nodes[1].reaches(server), "{server:?}");
        assert!(place.host.reaches(server), "{server:?}");
        assert!(!place.neighbour.reaches(server), "{server:?}");
    }
    // Nodes reach the neighbour all the same.
    assert!(place.nodes[0].reaches(&place.server));
    assert!(place.nodes[0].reaches(&place.server6));
}

#[test]
fn nodes_of_another_network_get_nothing() {
    let place = Place::new();
    let other = Space::new();
    place.host.run(|| {
        bridge(OTHER_BRIDGE, OTHER_SUBNETS, &[&other]);
        let subnets = OTHER_SUBNETS.map(|net| net.parse::<ipnet::IpNet>().unwrap().trunc());
        nft::apply(&network_ruleset(OTHER_BRIDGE, &subnets)).unwrap();
    });
    other.configure(OTHER_NODE, OTHER_SUBNETS);
    place.wait_for_link(&other, &place.server);
    for server in &listeners(&place) {
        assert!(!other.reaches(server), "{server:?}");
    }
}

#[test]
fn what_the_host_publishes_by_a_rule_of_its_own_is_reached() {
    let place = Place::new();
    let published = json!({ "nftables": [
        { "add": { "table": { "family": "ip", "name": "own" } } },
        { "add": { "chain": {
            "family": "ip", "table": "own", "name": "pre",
            "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept",
        } } },
        { "add": { "rule": { "family": "ip", "table": "own", "chain": "pre", "expr": [
            { "match": {
                "op": "==",
                "left": { "payload": { "protocol": "tcp", "field": "dport" } },
                "right": 8080,
            } },
            { "dnat": { "addr": NODES[1][0], "port": 80 } },
        ] } } },
    ] });
    place.host.run(|| nft::apply(&published).unwrap());
    let host = std::net::SocketAddr::new(address(UPLINK[0]), 8080);
    assert!(place.neighbour.connects(host));
    assert!(!place.neighbour.reaches(&place.node_server));
}

/// Where firewalld would let everything in.
#[test]
fn nodes_may_be_kept_from_all_of_the_host_but_its_names_and_their_proxy() {
    let place = Place::new();
    let gateway = address(SUBNETS[0]);
    let [names, proxy, database] =
        [53, 3128, 5432].map(|port| place.host.run(|| listen(gateway, port)));
    let [proxy6, elsewhere] = [address(SUBNETS[1]), address(UPLINK[0])]
        .map(|address| place.host.run(|| listen(address, 3128)));
    assert!(place.nodes[0].reaches(&database));
    let proxies = [&proxy, &proxy6].map(|proxy| proxy.local_addr().unwrap());
    let ruleset = names_and_proxies(BRIDGE, &BTreeSet::from(proxies));
    place.host.run(|| nft::apply(&ruleset).unwrap());
    for reached in [&names, &proxy, &proxy6] {
        assert!(place.nodes[0].reaches(reached), "{reached:?}");
    }
    for kept in [&database, &elsewhere] {
        assert!(!place.nodes[0].reaches(kept), "{kept:?}");
    }
    assert!(place.nodes[0].reaches(&place.server), "beyond the host");
    assert!(place.host.reaches(&place.node_server), "answers come in");
}
