//! A host that was no router is none between its other links, and none at all once the networks of nodes are gone.

use std::fs;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use kind_net::forwarding::{hand_back_forwarding, respect_router, turn_on_forwarding};
use kind_net::netlink::Netlink;
use kind_net::nft;
use kind_net::wall::network_ruleset;
use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket, sockopt};

use crate::place::{BRIDGE, Place, Space, listen};

/// Two more links of the host's, and who is on them.
const PRIVATE: [[&str; 2]; 2] = [
    ["10.98.0.1/24", "fd98::1/64"],
    ["10.97.0.1/24", "fd97::1/64"],
];
const ON_PRIVATE: [[&str; 2]; 2] = [["10.98.0.2", "fd98::2"], ["10.97.0.2", "fd97::2"]];

fn read(switch: &str) -> String {
    let value = fs::read_to_string(format!("/proc/sys/net/{switch}")).unwrap();
    value.trim().to_owned()
}

fn write(switch: &str, value: &str) {
    fs::write(format!("/proc/sys/net/{switch}"), value).unwrap();
}

/// A host that forwards nothing yet.
fn quiet_place() -> Place {
    let place = Place::new();
    place.host.run(|| {
        write("ipv4/ip_forward", "0");
        write("ipv6/conf/all/forwarding", "0");
    });
    assert!(!place.nodes[0].reaches(&place.server));
    place
}

/// Gives the host a link that is no bridge.
fn plain_link(place: &Place, number: usize) -> Space {
    let other = Space::new();
    place.host.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let name = format!("plain{number}");
        netlink.veth(&name, 0, "eth0", other.0.as_fd()).unwrap();
        let link = netlink.link(&name).unwrap().unwrap();
        for gateway in PRIVATE[number] {
            netlink.add_address(link, gateway.parse().unwrap()).unwrap();
        }
        netlink.up(link).unwrap();
    });
    other.configure(ON_PRIVATE[number], PRIVATE[number]);
    other
}

#[test]
fn nodes_reach_others_and_the_host_becomes_no_router_between_its_links() {
    let place = quiet_place();
    let first = plain_link(&place, 0);
    place.host.run(|| turn_on_forwarding(true).unwrap());
    // One that comes later, as those of VPNs do.
    let second = plain_link(&place, 1);
    let servers = ON_PRIVATE[1].map(|text| second.run(|| listen(text.parse().unwrap(), 80)));
    for server in [&place.server, &place.server6, &servers[0], &servers[1]] {
        place.wait_for_link(&place.nodes[0], server);
    }
    for server in &servers {
        assert!(!first.reaches(server), "{server:?}");
    }
    assert_eq!(place.host.run(|| read("ipv4/ip_forward")), "0");
}

#[test]
fn what_was_turned_on_is_turned_off_with_the_last_network() {
    let place = quiet_place();
    let _private = plain_link(&place, 0);
    place.host.run(|| {
        write("ipv4/conf/plain0/forwarding", "1");
        for _ in 0..2 {
            turn_on_forwarding(true).unwrap();
        }
        assert_eq!(read("ipv4/conf/default/forwarding"), "1");
        hand_back_forwarding().unwrap();
        assert_eq!(
            read("ipv4/conf/uplink/forwarding"),
            "1",
            "a network is left"
        );
        nft::apply(&nft::removal(BRIDGE)).unwrap();
        hand_back_forwarding().unwrap();
        for (link, value) in [("uplink", "0"), ("default", "0"), ("plain0", "1")] {
            assert_eq!(
                read(&format!("ipv4/conf/{link}/forwarding")),
                value,
                "{link}"
            );
        }
        assert_eq!(read("ipv6/conf/all/forwarding"), "0");
        assert_eq!(nft::tables().unwrap(), []);
    });
}

#[test]
fn a_host_that_is_a_router_stays_one() {
    let place = Place::new();
    place.host.run(|| {
        turn_on_forwarding(true).unwrap();
        assert_eq!(nft::tables().unwrap().len(), 1);
        nft::apply(&nft::removal(BRIDGE)).unwrap();
        hand_back_forwarding().unwrap();
        assert_eq!(read("ipv4/ip_forward"), "1");
        assert_eq!(read("ipv6/conf/all/forwarding"), "1");
    });
}

#[test]
fn a_host_that_becomes_a_router_meanwhile_stays_one() {
    let place = quiet_place();
    place.host.run(|| {
        turn_on_forwarding(false).unwrap();
        write("ipv4/ip_forward", "1");
        let mut ruleset = network_ruleset(BRIDGE, &[]);
        respect_router(&mut ruleset);
        nft::apply(&ruleset).unwrap();
        assert_eq!(nft::tables().unwrap().len(), 1, "the network's own");
        nft::apply(&nft::removal(BRIDGE)).unwrap();
        hand_back_forwarding().unwrap();
        assert_eq!(read("ipv4/conf/uplink/forwarding"), "1");
        assert_eq!(nft::tables().unwrap(), []);
    });
}

/// Has the neighbour tell its link that it is a router, for half an hour.
fn announce_router(neighbour: &Space) {
    let mut announcement = [0; 16];
    announcement[0] = 134;
    announcement[4] = 64;
    announcement[6..8].copy_from_slice(&1800_u16.to_be_bytes());
    neighbour.run(|| {
        let link = Netlink::open().unwrap().link("eth0").unwrap().unwrap();
        let all = SocketAddrV6::new(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), 0, 0, link);
        let raw = SocketType::RAW;
        let socket = socket(AddressFamily::INET6, raw, Some(ipproto::ICMPV6)).unwrap();
        // What comes from further away is believed by nobody.
        sockopt::set_ipv6_multicast_hops(&socket, 255).unwrap();
        sendto(&socket, &announcement, SendFlags::empty(), &all).unwrap();
    });
}

/// Whether the host has a way to everywhere over IPv6.
fn has_way_out(host: &Space) -> bool {
    host.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let uplink = netlink.link("uplink").unwrap();
        let routes = netlink.routes().unwrap();
        let everywhere = "::/0".parse().unwrap();
        routes
            .iter()
            .any(|route| route.to == everywhere && route.link == uplink)
    })
}

/// Whether the host comes to believe the neighbour, which says it again and again.
fn learns_way_out(place: &Place, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        announce_router(&place.neighbour);
        std::thread::sleep(Duration::from_millis(50));
        if has_way_out(&place.host) {
            return true;
        }
    }
    false
}

#[test]
fn a_host_that_learns_its_way_out_goes_on_learning() {
    let place = quiet_place();
    let accept = |link: &str| read(&format!("ipv6/conf/{link}/accept_ra"));
    let _private = plain_link(&place, 0);
    place.host.run(|| {
        for (link, value) in [
            ("default", "1"),
            ("uplink", "1"),
            ("plain0", "2"),
            (BRIDGE, "0"),
        ] {
            write(&format!("ipv6/conf/{link}/accept_ra"), value);
        }
    });
    assert!(learns_way_out(&place, Duration::from_secs(20)));
    place.host.run(|| turn_on_forwarding(true).unwrap());
    assert!(has_way_out(&place.host), "it is forgotten");
    place.host.run(|| {
        assert_eq!(accept("default"), "2", "as links that come later");
        assert_eq!(accept(BRIDGE), "0", "nobody there is believed");
        nft::apply(&nft::removal(BRIDGE)).unwrap();
        hand_back_forwarding().unwrap();
        for (link, value) in [
            ("default", "1"),
            ("uplink", "1"),
            ("plain0", "2"),
            (BRIDGE, "0"),
        ] {
            assert_eq!(accept(link), value, "{link}");
        }
    });
    assert!(has_way_out(&place.host));
}
