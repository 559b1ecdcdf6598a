//! The ruleset of a network of nodes: what leaves it goes out under the host's address, and nobody beyond the host's own
//! links gets in.
//!
//! Nodes listen on all their addresses, and a host that forwards packets is a router for everybody on its links. So the
//! network's addresses are the host's and the nodes' alone: whatever else comes for them is dropped before it is routed.
//! What the host itself leads to a node by a rule of its own (DNAT) is let through: somebody has published it.
//!
//! A table can only drop what others would accept. It never lets through what another table drops.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

/// The host's link to itself.
const LOOPBACK: &str = "lo";
/// After connections are known, before addresses are changed: answers to masqueraded connections are still for the host.
const BEFORE_DNAT: i32 = -150;
const SOURCE_NAT: i32 = 100;
const FILTER: i32 = 0;

/// The ruleset of the network on `bridge`. It stands in a table of that name, which is replaced as a whole.
pub fn network_ruleset(bridge: &str, subnets: &[IpNet]) -> Value {
    let table = json!({ "table": { "family": "inet", "name": bridge } });
    let mut commands = vec![
        json!({ "add": table }),
        json!({ "delete": table }),
        json!({ "add": table }),
    ];
    let chains = [
        (
            "postrouting",
            "nat",
            SOURCE_NAT,
            masquerading(bridge, subnets),
        ),
        (
            "prerouting",
            "filter",
            BEFORE_DNAT,
            no_strangers(bridge, subnets),
        ),
        ("forward", "filter", FILTER, only_replies(bridge)),
    ];
    for (chain, kind, priority, rules) in chains {
        commands.push(json!({ "add": { "chain": {
            "family": "inet", "table": bridge, "name": chain,
            "type": kind, "hook": chain, "prio": priority, "policy": "accept",
        } } }));
        commands.extend(
            rules
                .into_iter()
                .map(|rule| add_rule("inet", bridge, chain, rule)),
        );
    }
    json!({ "nftables": commands })
}

/// The command that adds a rule at the end of a chain.
pub(crate) fn add_rule(family: &str, table: &str, chain: &str, expressions: Value) -> Value {
    json!({ "add": { "rule": {
        "family": family, "table": table, "chain": chain, "expr": expressions,
    } } })
}

/// What leaves through another link goes out under the host's own address.
fn masquerading(bridge: &str, subnets: &[IpNet]) -> Vec<Value> {
    let rule = |subnet| {
        json!([
            address_in("saddr", subnet),
            matches("!=", &json!({ "meta": { "key": "oifname" } }), &json!(bridge)),
            { "masquerade": null },
        ])
    };
    subnets.iter().map(rule).collect()
}

/// Packets for the network, or in its name, come from its bridge and from the host.
fn no_strangers(bridge: &str, subnets: &[IpNet]) -> Vec<Value> {
    let links = json!({ "set": [LOOPBACK, bridge] });
    let strange = matches("!=", &json!({ "meta": { "key": "iifname" } }), &links);
    let rule = |(subnet, field)| json!([strange, address_in(field, subnet), { "drop": null }]);
    let fields = subnets
        .iter()
        .flat_map(|subnet| [(subnet, "daddr"), (subnet, "saddr")]);
    fields.map(rule).collect()
}

/// What is led to the network from another link is an answer, or was published by the host.
fn only_replies(bridge: &str) -> Vec<Value> {
    let link = |op, key| matches(op, &json!({ "meta": { "key": key } }), &json!(bridge));
    let comes_in = [link("!=", "iifname"), link("==", "oifname")];
    let verdict = |rest: &[Value]| json!([&comes_in[..], rest].concat());
    let mut rules: Vec<_> = known_connections()
        .into_iter()
        .map(|known| verdict(&[known, json!({ "accept": null })]))
        .collect();
    rules.push(verdict(&[json!({ "drop": null })]));
    rules
}

/// What keeps nodes from the host's own services but its names and these proxies, on a host whose firewall would let
/// everything of the bridge pass, or nothing. It joins the network's table.
pub fn names_and_proxies(bridge: &str, proxies: &BTreeSet<SocketAddr>) -> Value {
    const CHAIN: &str = "input";
    let from_nodes = matches(
        "==",
        &json!({ "meta": { "key": "iifname" } }),
        &json!(bridge),
    );
    let protocols = |names: [&str; 2]| {
        let right = json!({ "set": names });
        matches("==", &json!({ "meta": { "key": "l4proto" } }), &right)
    };
    let port_is = |port: u16| {
        let left = json!({ "payload": { "protocol": "th", "field": "dport" } });
        matches("==", &left, &json!(port))
    };
    let [established, _] = known_connections();
    let accept = json!({ "accept": null });
    let mut rules = vec![
        json!([from_nodes, established, accept]),
        json!([from_nodes, protocols(["icmp", "ipv6-icmp"]), accept]),
        json!([from_nodes, protocols(["tcp", "udp"]), port_is(53), accept]),
    ];
    rules.extend(proxies.iter().map(|proxy| {
        let tcp = matches(
            "==",
            &json!({ "meta": { "key": "l4proto" } }),
            &json!("tcp"),
        );
        let place = address_in("daddr", &proxy.ip().into());
        json!([from_nodes, tcp, place, port_is(proxy.port()), accept])
    }));
    rules.push(json!([from_nodes, { "reject": { "type": "icmpx", "expr": "admin-prohibited" } }]));
    let mut commands = vec![json!({ "add": { "chain": {
        "family": "inet", "table": bridge, "name": CHAIN,
        "type": "filter", "hook": CHAIN, "prio": FILTER, "policy": "accept",
    } } })];
    commands.extend(
        rules
            .into_iter()
            .map(|rule| add_rule("inet", bridge, CHAIN, rule)),
    );
    json!({ "nftables": commands })
}

/// Connections that somebody on the other side has begun, and those that a rule of the host's leads elsewhere.
pub(crate) fn known_connections() -> [Value; 2] {
    let connection = |key: &str, right| matches("in", &json!({ "ct": { "key": key } }), &right);
    [
        connection("state", json!(["established", "related"])),
        connection("status", json!("dnat")),
    ]
}

pub(crate) fn matches(op: &str, left: &Value, right: &Value) -> Value {
    json!({ "match": { "op": op, "left": left, "right": right } })
}

fn address_in(field: &str, subnet: &IpNet) -> Value {
    let protocol = match subnet {
        IpNet::V4(_) => "ip",
        IpNet::V6(_) => "ip6",
    };
    matches(
        "==",
        &json!({ "payload": { "protocol": protocol, "field": field } }),
        &json!({ "prefix": { "addr": subnet.network(), "len": subnet.prefix_len() } }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_its_table_and_names_both_families() {
        let subnets = [
            "172.18.0.0/16".parse().unwrap(),
            "fc00:1::/64".parse().unwrap(),
        ];
        let text = network_ruleset("br-x", &subnets).to_string();
        assert!(
            text.contains(r#""prefix":{"addr":"172.18.0.0","len":16}"#),
            "{text}"
        );
        assert!(text.contains(r#""protocol":"ip6""#), "{text}");
        assert!(text.find("delete").unwrap() < text.find("masquerade").unwrap());
    }
}
