//! Which routes other nodes may ask for: a node's addresses and pod CIDRs are what its object says, and whoever may make or
//! change one could draw the packets of others to itself, or lead them out of the cluster.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::nodes::Node;

/// What a claim must keep to.
#[derive(Debug)]
pub(super) struct Bounds<'a> {
    /// Ranges of all pods of the cluster.
    pub(super) pod_subnets: &'a [IpNet],
    /// This node, whose own ranges have the length that those of all nodes have.
    pub(super) own: &'a Node,
    /// Networks of the links that have this node's addresses.
    pub(super) networks: Vec<IpNet>,
    /// Routers that lead out of them.
    pub(super) gateways: Vec<IpAddr>,
}

/// Routes that may be made, and in words what may not.
#[derive(Debug, Default)]
pub(super) struct Granted {
    /// The router for each range of pods.
    pub(super) routes: BTreeMap<IpNet, IpAddr>,
    /// What was refused.
    pub(super) refusals: Vec<String>,
    /// Addresses of nodes that have been looked at.
    addresses: Vec<IpAddr>,
}

/// Judges what `others` claim, in their order: of two that want the same, the first keeps it.
pub(super) fn grant_claims(others: &[(&str, &Node)], bounds: &Bounds<'_>) -> Granted {
    let mut granted = Granted::default();
    for (name, node) in others {
        for ipv4 in [true, false] {
            let mut cidrs = node.pod_cidrs.iter();
            let Some(cidr) = cidrs.find(|cidr| cidr.addr().is_ipv4() == ipv4) else {
                continue;
            };
            let mut addresses = node.addresses.iter();
            let Some(address) = addresses.find(|address| address.is_ipv4() == ipv4) else {
                continue;
            };
            if let Err(reason) = granted.grant(*cidr, *address, bounds) {
                granted.refusals.push(format!("node {name}: {reason}"));
            }
        }
    }
    granted
}

impl Granted {
    fn grant(&mut self, cidr: IpNet, address: IpAddr, bounds: &Bounds<'_>) -> Result<(), String> {
        bounds.check_address(address)?;
        if self.addresses.contains(&address) {
            return Err(format!("{address} is an older node's"));
        }
        self.addresses.push(address);
        bounds.check_cidr(cidr)?;
        if let Some(other) = self.routes.keys().find(|other| overlap(other, &cidr)) {
            return Err(format!("{cidr} overlaps {other} of an older node"));
        }
        self.routes.insert(cidr, address);
        Ok(())
    }
}

impl Bounds<'_> {
    fn check_address(&self, address: IpAddr) -> Result<(), String> {
        if self.own.addresses.contains(&address) {
            return Err(format!("{address} is this node's own"));
        }
        if self.gateways.contains(&address) {
            return Err(format!("{address} is the network's router"));
        }
        if !self
            .networks
            .iter()
            .any(|network| network.contains(&address))
        {
            return Err(format!("{address} is not in the nodes' network"));
        }
        Ok(())
    }

    fn check_cidr(&self, cidr: IpNet) -> Result<(), String> {
        if !self.pod_subnets.iter().any(|subnet| subnet.contains(&cidr)) {
            return Err(format!("{cidr} is in none of the cluster's pod subnets"));
        }
        let mut own = self.own.pod_cidrs.iter();
        let own = own.find(|own| own.addr().is_ipv4() == cidr.addr().is_ipv4());
        match own {
            Some(own) if own.prefix_len() != cidr.prefix_len() => {
                Err(format!("{cidr} is not as long as {own} of this node"))
            }
            Some(own) if overlap(own, &cidr) => Err(format!("{cidr} overlaps {own} of this node")),
            Some(_) => Ok(()),
            None => Err(format!(
                "{cidr} is of a family of which this node has no pods"
            )),
        }
    }
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn node(addresses: &[&str], cidrs: &[&str]) -> Node {
        Node {
            created: 0,
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            pod_cidrs: cidrs.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    fn own() -> Node {
        node(
            &["172.18.0.2", "fc00::2"],
            &["10.244.0.0/24", "fd00:10:244::/64"],
        )
    }

    const SUBNETS: [&str; 2] = ["10.244.0.0/16", "fd00:10:244::/56"];

    fn judge(own: &Node, nodes: &[Node]) -> (Vec<String>, Vec<String>) {
        let subnets = SUBNETS.map(|text| text.parse().unwrap());
        let bounds = Bounds {
            pod_subnets: &subnets,
            own,
            networks: ["172.18.0.0/16", "fc00::/64"]
                .map(|text| text.parse().unwrap())
                .into(),
            gateways: ["172.18.0.1", "fc00::1"]
                .map(|text| text.parse().unwrap())
                .into(),
        };
        let named: Vec<_> = nodes.iter().map(|node| ("x", node)).collect();
        let granted = grant_claims(&named, &bounds);
        let routes = granted.routes.iter().map(|(to, via)| format!("{to} {via}"));
        (routes.collect(), granted.refusals)
    }

    #[test]
    fn each_family_goes_through_its_own_address() {
        let nodes = [
            node(
                &["172.18.0.3", "fc00::3"],
                &["10.244.1.0/24", "fd00:10:244:1::/64"],
            ),
            // Registered, but without an address of the second family, or at all.
            node(&["172.18.0.4"], &["10.244.2.0/24", "fd00:10:244:2::/64"]),
            node(&[], &["10.244.3.0/24"]),
        ];
        let (routes, refusals) = judge(&own(), &nodes);
        let expected = [
            "10.244.1.0/24 172.18.0.3",
            "10.244.2.0/24 172.18.0.4",
            "fd00:10:244:1::/64 fc00::3",
        ];
        assert_eq!(
            (routes, refusals),
            (expected.map(str::to_owned).into(), Vec::new())
        );
    }

    #[test]
    fn nobody_gets_more_than_a_nodes_share() {
        for (address, cidr, reason) in [
            ("172.18.0.3", "0.0.0.0/0", "pod subnets"),
            ("172.18.0.3", "10.96.0.0/24", "pod subnets"),
            ("172.18.0.3", "10.244.0.0/16", "not as long"),
            ("172.18.0.3", "10.244.1.0/25", "not as long"),
            ("172.18.0.3", "10.244.0.0/24", "of this node"),
            ("172.18.0.1", "10.244.1.0/24", "router"),
            ("172.18.0.2", "10.244.1.0/24", "own"),
            ("192.0.2.1", "10.244.1.0/24", "nodes' network"),
            ("127.0.0.1", "10.244.1.0/24", "nodes' network"),
        ] {
            let (routes, refusals) = judge(&own(), &[node(&[address], &[cidr])]);
            assert_eq!(routes, [""; 0], "{address} {cidr}");
            assert!(refusals[0].contains(reason), "{refusals:?}");
        }
        let only_ipv4 = node(&["172.18.0.2"], &["10.244.0.0/24"]);
        let ipv6 = node(&["fc00::3"], &["fd00:10:244:1::/64"]);
        assert_eq!(judge(&only_ipv4, &[ipv6]).0, [""; 0]);
    }

    #[test]
    fn the_older_node_keeps_what_another_one_wants() {
        let nodes = [
            node(&["172.18.0.3"], &["10.244.1.0/24"]),
            node(&["172.18.0.4"], &["10.244.1.0/24"]),
            node(&["172.18.0.3"], &["10.244.2.0/24"]),
        ];
        let (routes, refusals) = judge(&own(), &nodes);
        assert_eq!(routes, ["10.244.1.0/24 172.18.0.3"]);
        assert_eq!(refusals.len(), 2, "{refusals:?}");
    }

    proptest! {
        #[test]
        fn whatever_nodes_claim_no_route_leads_elsewhere(
            claims in prop::collection::vec((any::<[u8; 4]>(), any::<[u8; 4]>(), 0..=32_u8), 0..20),
            near in any::<bool>(),
        ) {
            let nodes: Vec<_> = claims
                .into_iter()
                .map(|(mut address, mut cidr, length)| {
                    if near {
                        (address[0], address[1], cidr[0], cidr[1]) = (172, 18, 10, 244);
                    }
                    Node {
                        created: 0,
                        addresses: vec![IpAddr::V4(address.into())],
                        pod_cidrs: vec![IpNet::new(Ipv4Addr::from(cidr).into(), length).unwrap().trunc()],
                    }
                })
                .collect();
            let routes = judge(&own(), &nodes).0;
            let pods: IpNet = SUBNETS[0].parse().unwrap();
            let network: IpNet = "172.18.0.0/16".parse().unwrap();
            let mut vias = Vec::new();
            for route in routes {
                let (to, via) = route.split_once(' ').unwrap();
                let (to, via): (IpNet, IpAddr) = (to.parse().unwrap(), via.parse().unwrap());
                prop_assert!(pods.contains(&to) && to.prefix_len() == 24);
                prop_assert!(network.contains(&via) && !vias.contains(&via));
                vias.push(via);
            }
        }
    }
}
