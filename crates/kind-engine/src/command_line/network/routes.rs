//! Routes of the host that lead a network's addresses elsewhere, for example into a VPN that came after it.

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};

use super::answer::Subnets;

/// The first route of this host that takes addresses of these subnets away from the network's own link.
pub(in crate::command_line) fn find_foreign_route(subnets: &Subnets) -> Option<IpNet> {
    let mut netlink = Netlink::open().ok()?;
    let addresses = netlink.link_addresses().ok()?;
    let addresses: Vec<_> = addresses
        .into_iter()
        .map(|address| (address.link, address.address))
        .collect();
    foreign_route(subnets, &addresses, &netlink.routes().ok()?)
}

/// A route counts that is as narrow as the subnet or narrower: the kernel takes the narrowest.
fn foreign_route(subnets: &Subnets, addresses: &[(u32, IpNet)], routes: &[Route]) -> Option<IpNet> {
    let v4 = subnets.v4.map(IpNet::V4);
    let mut subnets = v4.into_iter().chain(subnets.v6.map(IpNet::V6));
    subnets.find_map(|subnet| {
        let is_own = |link: u32| {
            let mut own = addresses.iter().filter(|(other, _)| *other == link);
            own.any(|(_, address)| address.trunc() == subnet)
        };
        let mut foreign = routes.iter().filter(|route| {
            subnet.contains(&route.to) && route.link.is_some_and(|link| !is_own(link))
        });
        foreign.next().map(|route| route.to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn found(routes: &[(&str, u32)]) -> Option<String> {
        let subnets = Subnets {
            v4: "172.18.0.0/16".parse().ok(),
            ..Subnets::default()
        };
        let addresses = [(1, net("192.0.2.7/24")), (2, net("172.18.0.1/16"))];
        let routes = routes.iter().map(|(to, link)| Route {
            to: net(to),
            via: None,
            link: Some(*link),
            protocol: Route::BOOT,
        });
        let routes: Vec<_> = routes.collect();
        foreign_route(&subnets, &addresses, &routes).map(|route| route.to_string())
    }

    #[test]
    fn a_network_whose_subnet_overlaps_routes_of_the_host_is_told() {
        let own = ("172.18.0.0/16", 2);
        let elsewhere = |to| found(&[("0.0.0.0/0", 1), own, (to, 3)]);
        assert_eq!(
            elsewhere("172.18.128.0/17"),
            Some("172.18.128.0/17".to_owned())
        );
        assert_eq!(elsewhere("172.18.0.0/16"), Some("172.18.0.0/16".to_owned()));
        assert_eq!(
            elsewhere("172.18.200.7/32"),
            Some("172.18.200.7/32".to_owned())
        );
        // The kernel takes the narrowest route.
        assert_eq!(elsewhere("172.16.0.0/12"), None);
        assert_eq!(elsewhere("172.19.0.0/16"), None);
    }

    #[test]
    fn a_network_that_is_alone_with_its_addresses_is_fine() {
        assert_eq!(
            found(&[("0.0.0.0/0", 1), ("192.0.2.0/24", 1), ("172.18.0.0/16", 2)]),
            None
        );
    }
}
