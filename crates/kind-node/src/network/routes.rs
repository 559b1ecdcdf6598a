//! Routes to the pods of other nodes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};

use super::Error;
use super::nodes::Node;

/// What has to change.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    delete: Vec<Route>,
    replace: Vec<Route>,
}

/// Makes the kernel's routes those to `others`; `pod_subnets` is what belongs to pods at all.
pub(super) fn follow_routes<'a>(
    others: impl Iterator<Item = &'a Node>,
    pod_subnets: &[IpNet],
) -> Result<(), Error> {
    // Opened each time: it costs nothing, and a socket may not outlive a failure in its middle.
    let mut netlink = Netlink::open()?;
    let changes = route_changes(&netlink.routes()?, &desired_routes(others), pod_subnets);
    for route in &changes.delete {
        tracing::info!(to = %route.to, "removing a route");
        netlink.route_delete(route)?;
    }
    for route in &changes.replace {
        let via = route.via.map(tracing::field::display);
        tracing::info!(to = %route.to, via, "setting a route");
        netlink.route_replace(route)?;
    }
    Ok(())
}

/// The router for each range of pods: the node itself, by its address of the same family.
fn desired_routes<'a>(others: impl Iterator<Item = &'a Node>) -> BTreeMap<IpNet, IpAddr> {
    let mut routers = BTreeMap::new();
    for node in others {
        for cidr in &node.pod_cidrs {
            let same_family = |address: &&IpAddr| address.is_ipv4() == cidr.addr().is_ipv4();
            if let Some(address) = node.addresses.iter().find(same_family) {
                routers.insert(*cidr, *address);
            }
        }
    }
    routers
}

/// Compares the kernel's routes with the desired ones. Routes that lead to another node's pods
/// through a router count as ours; those to pods of this node have no router.
fn route_changes(
    present: &[Route],
    desired: &BTreeMap<IpNet, IpAddr>,
    pod_subnets: &[IpNet],
) -> Changes {
    let mut changes = Changes::default();
    for route in present {
        let of_pods = pod_subnets.iter().any(|subnet| subnet.contains(&route.to));
        if of_pods && route.via.is_some() && desired.get(&route.to) != route.via.as_ref() {
            changes.delete.push(route.clone());
        }
    }
    for (to, via) in desired {
        let is_there = |route: &Route| route.to == *to && route.via == Some(*via);
        if !present.iter().any(is_there) {
            changes.replace.push(Route {
                to: *to,
                via: Some(*via),
                link: None,
            });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use kind_testkit::machine::require_root;

    use super::*;

    fn route(to: &str, via: &str) -> Route {
        Route {
            to: to.parse().unwrap(),
            via: via.parse().ok(),
            link: Some(2),
        }
    }

    fn node(addresses: &[&str], cidrs: &[&str]) -> Node {
        Node {
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            pod_cidrs: cidrs.iter().map(|text| text.parse().unwrap()).collect(),
        }
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
        let desired = desired_routes(nodes.iter());
        let pairs: Vec<String> = desired
            .iter()
            .map(|(to, via)| format!("{to} {via}"))
            .collect();
        assert_eq!(
            pairs,
            [
                "10.244.1.0/24 172.18.0.3",
                "10.244.2.0/24 172.18.0.4",
                "fd00:10:244:1::/64 fc00::3",
            ]
        );
    }

    #[test]
    fn only_routes_of_pods_through_routers_are_touched() {
        let pods = ["10.244.0.0/16".parse().unwrap()];
        let nodes = [
            node(&["172.18.0.3"], &["10.244.1.0/24"]),
            node(&["172.18.0.4"], &["10.244.2.0/24"]),
        ];
        let desired = desired_routes(nodes.iter());
        let present = [
            route("0.0.0.0/0", "172.18.0.1"),
            route("10.0.0.0/8", "172.18.0.1"),
            route("172.18.0.0/16", "none"),
            route("10.244.0.5/32", "none"),
            route("10.244.1.0/24", "172.18.0.3"),
            route("10.244.2.0/24", "172.18.0.9"),
            route("10.244.3.0/24", "172.18.0.5"),
        ];
        let changes = route_changes(&present, &desired, &pods);
        assert_eq!(changes.delete, [present[5].clone(), present[6].clone()]);
        assert_eq!(changes.replace.len(), 1);
        assert_eq!(changes.replace[0].via, "172.18.0.4".parse().ok());
        assert_eq!(
            route_changes(&present[..5], &BTreeMap::new(), &pods).delete,
            [present[4].clone()]
        );
    }

    #[test]
    fn the_kernel_follows() {
        require_root();
        // The thread, and with it the namespace, ends with the test.
        let test = std::thread::spawn(|| {
            kind_sys::namespace::unshare_network().unwrap();
            let mut netlink = Netlink::open().unwrap();
            let link = netlink.bridge("eth0").unwrap();
            for address in ["172.18.0.2/16", "fc00:f853::2/64"] {
                netlink.add_address(link, address.parse().unwrap()).unwrap();
            }
            netlink.up(link).unwrap();
            let pods = [
                "10.244.0.0/16".parse().unwrap(),
                "fd00::/56".parse().unwrap(),
            ];
            let mut nodes = vec![
                node(
                    &["172.18.0.3", "fc00:f853::3"],
                    &["10.244.1.0/24", "fd00:0:0:1::/64"],
                ),
                node(&["172.18.0.4"], &["10.244.2.0/24"]),
            ];
            let routed = |netlink: &mut Netlink| -> Vec<String> {
                let mut routes = netlink.routes().unwrap();
                routes.retain(|route| route.via.is_some());
                let text = |route: &Route| format!("{} {}", route.to, route.via.unwrap());
                let mut texts: Vec<String> = routes.iter().map(text).collect();
                texts.sort();
                texts
            };
            follow_routes(nodes.iter(), &pods).unwrap();
            assert_eq!(
                routed(&mut netlink),
                [
                    "10.244.1.0/24 172.18.0.3",
                    "10.244.2.0/24 172.18.0.4",
                    "fd00:0:0:1::/64 fc00:f853::3"
                ]
            );
            nodes[0].addresses[0] = "172.18.0.7".parse().unwrap();
            nodes.truncate(1);
            for _ in 0..2 {
                follow_routes(nodes.iter(), &pods).unwrap();
                assert_eq!(
                    routed(&mut netlink),
                    ["10.244.1.0/24 172.18.0.7", "fd00:0:0:1::/64 fc00:f853::3"]
                );
            }
        });
        test.join().unwrap();
    }
}
