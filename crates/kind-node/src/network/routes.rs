//! Routes to the pods of other nodes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};

use super::Error;
use super::claims::{Bounds, grant_claims};
use super::nodes::Node;

/// What has to change.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    delete: Vec<Route>,
    replace: Vec<Route>,
}

/// Makes the kernel's routes those to `others`, whose claims are judged by what this node has itself; `pod_subnets` is what
/// belongs to pods at all.
pub(super) fn follow_routes(
    own: &Node,
    others: &[(&str, &Node)],
    pod_subnets: &[IpNet],
) -> Result<(), Error> {
    // Opened each time: it costs nothing, and a socket may not outlive a failure in its middle.
    let mut netlink = Netlink::open()?;
    let present = netlink.routes()?;
    let is_own = |network: &IpNet| own.addresses.contains(&network.addr());
    let gateways = present.iter().filter(|route| route.to.prefix_len() == 0);
    let bounds = Bounds {
        pod_subnets,
        own,
        networks: netlink.addresses()?.into_iter().filter(is_own).collect(),
        gateways: gateways.filter_map(|route| route.via).collect(),
    };
    let granted = grant_claims(others, &bounds);
    for refusal in &granted.refusals {
        tracing::warn!(refusal, "no route");
    }
    let changes = route_changes(&present, &granted.routes);
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

/// Compares the kernel's routes of the pod network with the desired ones. Nobody else's are touched, wherever they lead.
fn route_changes(present: &[Route], desired: &BTreeMap<IpNet, IpAddr>) -> Changes {
    let mut changes = Changes::default();
    let ours = present.iter().filter(|route| route.protocol == Route::PODS);
    let stale = ours
        .clone()
        .filter(|route| desired.get(&route.to) != route.via.as_ref());
    changes.delete.extend(stale.cloned());
    for (to, via) in desired {
        let is_there = |route: &Route| route.to == *to && route.via == Some(*via);
        if !ours.clone().any(is_there) {
            changes.replace.push(Route {
                to: *to,
                via: Some(*via),
                link: None,
                protocol: Route::PODS,
            });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use kind_testkit::machine::require_root;

    use super::*;

    fn route(to: &str, via: &str, protocol: u8) -> Route {
        Route {
            to: to.parse().unwrap(),
            via: via.parse().ok(),
            link: Some(2),
            protocol,
        }
    }

    fn node(addresses: &[&str], cidrs: &[&str]) -> Node {
        Node {
            created: 0,
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            pod_cidrs: cidrs.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn only_the_pod_networks_own_routes_are_touched() {
        let desired = BTreeMap::from([
            (
                "10.244.1.0/24".parse().unwrap(),
                "172.18.0.3".parse().unwrap(),
            ),
            (
                "10.244.2.0/24".parse().unwrap(),
                "172.18.0.4".parse().unwrap(),
            ),
        ]);
        let present = [
            route("0.0.0.0/0", "172.18.0.1", Route::BOOT),
            route("10.244.0.5/32", "none", Route::BOOT),
            route("10.244.9.0/24", "172.18.0.1", Route::BOOT),
            route("10.244.1.0/24", "172.18.0.3", Route::PODS),
            route("10.244.2.0/24", "172.18.0.9", Route::PODS),
            route("192.0.2.0/24", "172.18.0.5", Route::PODS),
        ];
        let changes = route_changes(&present, &desired);
        assert_eq!(changes.delete, [present[4].clone(), present[5].clone()]);
        assert_eq!(changes.replace.len(), 1);
        assert_eq!(changes.replace[0].via, "172.18.0.4".parse().ok());
        let gone = route_changes(&present, &BTreeMap::new());
        assert_eq!(gone.delete, present[3..]);
    }

    /// The kernel's routes by way of a neighbour, in words.
    fn list_routes(netlink: &mut Netlink) -> Vec<String> {
        let mut routes = netlink.routes().unwrap();
        routes.retain(|route| route.via.is_some());
        let text = |route: &Route| format!("{} {}", route.to, route.via.unwrap());
        let mut texts: Vec<String> = routes.iter().map(text).collect();
        texts.sort();
        texts
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
            let foreign = Route {
                link: Some(link),
                ..route("10.244.9.0/24", "172.18.0.9", Route::BOOT)
            };
            netlink.route_replace(&foreign).unwrap();
            let pods = [
                "10.244.0.0/16".parse().unwrap(),
                "fd00::/56".parse().unwrap(),
            ];
            let own = node(
                &["172.18.0.2", "fc00:f853::2"],
                &["10.244.0.0/24", "fd00::/64"],
            );
            let mut nodes = vec![
                node(
                    &["172.18.0.3", "fc00:f853::3"],
                    &["10.244.1.0/24", "fd00:0:0:1::/64"],
                ),
                node(&["172.18.0.4"], &["10.244.2.0/24"]),
                // It is nobody's neighbour, and wants everything.
                node(&["192.0.2.1"], &["0.0.0.0/0"]),
            ];
            let follow = |nodes: &[Node]| {
                let named: Vec<_> = nodes.iter().map(|node| ("x", node)).collect();
                follow_routes(&own, &named, &pods).unwrap();
            };
            follow(&nodes);
            assert_eq!(
                list_routes(&mut netlink),
                [
                    "10.244.1.0/24 172.18.0.3",
                    "10.244.2.0/24 172.18.0.4",
                    "10.244.9.0/24 172.18.0.9",
                    "fd00:0:0:1::/64 fc00:f853::3"
                ]
            );
            nodes[0].addresses[0] = "172.18.0.7".parse().unwrap();
            nodes.truncate(1);
            for _ in 0..2 {
                follow(&nodes);
                assert_eq!(
                    list_routes(&mut netlink),
                    [
                        "10.244.1.0/24 172.18.0.7",
                        "10.244.9.0/24 172.18.0.9",
                        "fd00:0:0:1::/64 fc00:f853::3"
                    ]
                );
            }
        });
        test.join().unwrap();
    }
}
