//! A pod sends under its own addresses: under another one's it would pass for that pod, and under none that is known for
//! nobody whom policies restrict.
//!
//! Pods' links have the name that the plugin `ptp` gives them, and each of a pod's addresses is routed to its link. So what
//! comes in by such a link and whose answer would leave by another one is not the pod's. For IPv4 `rp_filter` does the
//! same on images of our own making; for IPv6 the kernel has nothing like it.

use ipnet::IpNet;

use crate::nft::{Family, Hook, Match, Rule, Table, Verdict};
use crate::restricted_pods::NEIGHBOURS;

/// Our table, one of each family in use.
pub(super) const TABLE: &str = "kindnet-sources";
/// How names of pods' links begin.
const POD_LINK: &str = "veth";

/// The rules, for the families of these ranges of pods.
pub(super) fn source_tables(pod_subnets: &[IpNet]) -> Vec<Table> {
    let families = [Family::V4, Family::V6].into_iter();
    let is_used = |family: &Family| {
        pod_subnets
            .iter()
            .any(|net| Family::of_range(net) == *family)
    };
    families.filter(is_used).map(source_table).collect()
}

fn source_table(family: Family) -> Table {
    let mut rules = Vec::new();
    if family == Family::V6 {
        // Sometimes before they have an address.
        rules.push(Rule::new(NEIGHBOURS, Verdict::Accept));
    }
    let matches = [Match::LinkInNamed(POD_LINK), Match::NoWayBack];
    rules.push(Rule::new(matches, Verdict::Drop));
    let mut table = Table::new(family, TABLE);
    table.add_hook("received", Hook::Received, rules);
    table
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
    use std::os::fd::AsFd;
    use std::time::{Duration, Instant};

    use kind_net::netlink::{Netlink, Route};

    use super::*;
    use crate::testing::{NetworkNamespace, in_namespace, listed_after};

    const RULESET: &str = "\
table ip kindnet-sources {
\tchain received {
\t\ttype filter hook prerouting priority mangle; policy accept;
\t\tiifname \"veth*\" fib saddr . iif oif 0 drop
\t}
}
table ip6 kindnet-sources {
\tchain received {
\t\ttype filter hook prerouting priority mangle; policy accept;
\t\ticmpv6 type 135-136 accept
\t\tiifname \"veth*\" fib saddr . iif oif 0 drop
\t}
}
";

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn tables() -> Vec<Table> {
        source_tables(&["10.244.0.0/16", "fd00:10:244::/56"].map(net))
    }

    #[test]
    fn the_kernel_understands_the_rules() {
        in_namespace(|| {
            for _ in 0..2 {
                let listed = listed_after(&tables());
                let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert_eq!(words(&listed), words(RULESET), "{listed}");
            }
        });
    }

    /// A pod as the plugin makes it, with two addresses more that are not its own.
    fn make_pod(netlink: &mut Netlink, pod: &NetworkNamespace) {
        let namespace = pod.namespace();
        netlink
            .veth("veth0a1b2c3d", 0, "eth0", namespace.as_fd())
            .unwrap();
        let link = netlink.link("veth0a1b2c3d").unwrap().unwrap();
        for (gateway, own) in [
            ("10.244.0.1/32", "10.244.0.5/32"),
            ("fd00:10:244::1/128", "fd00:10:244::5/128"),
        ] {
            netlink.add_address(link, net(gateway)).unwrap();
            netlink.up(link).unwrap();
            netlink.route_replace(&route(own, None, link)).unwrap();
        }
        pod.run_inside(|| {
            let mut netlink = Netlink::open().unwrap();
            let link = netlink.link("eth0").unwrap().unwrap();
            for own in [
                "10.244.0.5/24",
                "fd00:10:244::5/64",
                "192.0.2.9/32",
                "2001:db8::9/128",
            ] {
                netlink.add_address(link, net(own)).unwrap();
            }
            netlink.up(link).unwrap();
            for (all, via) in [("0.0.0.0/0", "10.244.0.1"), ("::/0", "fd00:10:244::1")] {
                netlink.route_replace(&route(all, Some(via), link)).unwrap();
            }
        });
    }

    fn route(to: &str, via: Option<&str>, link: u32) -> Route {
        Route {
            to: net(to),
            via: via.map(|via| via.parse().unwrap()),
            link: Some(link),
            protocol: Route::BOOT,
        }
    }

    /// Whether a datagram from that address of the pod's arrives.
    fn arrives(server: &UdpSocket, pod: &NetworkNamespace, from: &str, to: &str) -> bool {
        let (from, to): (std::net::IpAddr, SocketAddr) =
            (from.parse().unwrap(), to.parse().unwrap());
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            pod.run_inside(move || {
                let socket = UdpSocket::bind((from, 0)).unwrap();
                let _ = socket.send_to(b"x", to);
            });
            if server.recv(&mut [0; 8]).is_ok() {
                return true;
            }
        }
        false
    }

    #[test]
    fn a_pod_sends_under_no_addresses_but_its_own() {
        in_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let pod = NetworkNamespace::new();
            make_pod(&mut netlink, &pod);
            for switch in ["all", "default", "veth0a1b2c3d"] {
                let path = format!("/proc/sys/net/ipv4/conf/{switch}/rp_filter");
                std::fs::write(path, "0").unwrap();
            }
            let server = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 9000)).unwrap();
            server
                .set_read_timeout(Some(Duration::from_millis(100)))
                .unwrap();
            let families = [
                ("10.244.0.5", "192.0.2.9", "10.244.0.1:9000"),
                ("fd00:10:244::5", "2001:db8::9", "[fd00:10:244::1]:9000"),
            ];
            for (own, other, to) in families {
                assert!(arrives(&server, &pod, own, to), "{own}");
                assert!(
                    arrives(&server, &pod, other, to),
                    "{other} before there are rules"
                );
            }
            listed_after(&tables());
            while server.recv(&mut [0; 8]).is_ok() {}
            for (own, other, to) in families {
                assert!(arrives(&server, &pod, own, to), "{own}");
                assert!(!arrives(&server, &pod, other, to), "{other}");
            }
        });
    }
}
