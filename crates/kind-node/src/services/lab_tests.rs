//! Addresses on a real kernel: a network with two nodes, seen from the host.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use kind_net::netlink::Netlink;

use super::link::Link;
use super::{announce, guard};
use crate::testing::{Place, in_namespace};

/// The Service's port, which kube-proxy would lead to a pod, and one of the node's own.
const WEB: u16 = 80;
const KUBELET: u16 = 10250;
const PATIENCE: Duration = Duration::from_millis(300);
const ADDRESSES: [&str; 2] = ["172.18.255.7", "fc00:f853::ff07"];

/// What kube-proxy does, as far as the host can tell: the Service's port leads elsewhere.
fn proxy(number: u8) -> String {
    format!(
        "table inet proxy {{ chain c {{ type nat hook prerouting priority -100; \
         tcp dport 80 dnat ip to 172.18.0.{number}:8080; \
         tcp dport 80 dnat ip6 to [fc00:f853::{number}]:8080; }}; }}"
    )
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// A node with this number on the host's bridge.
fn node(netlink: &mut Netlink, bridge: u32, number: u8) -> Place {
    let place = Place::new();
    let namespace = place.namespace();
    let veth = format!("node{number}");
    netlink
        .veth(&veth, bridge, "eth0", namespace.as_fd())
        .unwrap();
    place.run(move || {
        let mut netlink = Netlink::open().unwrap();
        let link = netlink.link("eth0").unwrap().unwrap();
        for address in [
            format!("172.18.0.{number}/16"),
            format!("fc00:f853::{number}/64"),
        ] {
            netlink.add_address(link, net(&address)).unwrap();
        }
        netlink.up(link).unwrap();
        assert!(
            Command::new("nft")
                .arg(proxy(number))
                .status()
                .unwrap()
                .success()
        );
        for port in [8080, KUBELET] {
            let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).unwrap();
            thread::spawn(move || listener.incoming().for_each(drop));
        }
    });
    place
}

/// Has a node announce these addresses and no others.
fn announce(node: &Place, number: u8, addresses: &'static [&'static str]) {
    node.run(move || {
        let mut netlink = Netlink::open().unwrap();
        let link = Link::find(&mut netlink, IpAddr::from([172, 18, 0, number])).unwrap();
        let wanted: BTreeSet<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let new = announce::follow(&link, &wanted).unwrap();
        assert_eq!(new.len(), addresses.len());
        announce::tell(&link, &new).unwrap();
        assert_eq!(link.announced(&mut netlink).unwrap().len(), addresses.len());
    });
}

fn reaches(address: &str, port: u16) -> bool {
    let to = SocketAddr::new(address.parse().unwrap(), port);
    TcpStream::connect_timeout(&to, PATIENCE).is_ok()
}

#[test]
fn an_address_moves_to_another_node_at_once() {
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = netlink.bridge("br-kind").unwrap();
        for address in ["172.18.0.1/16", "fc00:f853::1/64"] {
            netlink.add_address(bridge, net(address)).unwrap();
        }
        netlink.up(bridge).unwrap();
        let nodes = [2, 3].map(|number| node(&mut netlink, bridge, number));
        announce(&nodes[0], 2, &ADDRESSES);
        for address in ADDRESSES {
            let mut tries = 0..30;
            assert!(tries.any(|_| reaches(address, WEB)), "{address}");
            assert!(!reaches(address, KUBELET), "{address}");
        }
        assert!(
            reaches("172.18.0.2", KUBELET),
            "the node's own address stays open"
        );
        assert!(reaches("172.18.0.2", WEB));

        // The first node dies without a word, and the host still knows where it was.
        netlink.delete_link("node2").unwrap();
        assert!(!reaches(ADDRESSES[0], WEB));
        announce(&nodes[1], 3, &ADDRESSES);
        for address in ADDRESSES {
            assert!(reaches(address, WEB), "{address}");
        }
        announce(&nodes[1], 3, &[]);
        let rules = nodes[1].run(|| {
            Command::new("nft")
                .args(["list", "ruleset"])
                .output()
                .unwrap()
        });
        let rules = String::from_utf8(rules.stdout).unwrap();
        assert!(!rules.contains("kind-services"), "{rules}");
    });
}

#[test]
fn the_kernel_understands_the_guard() {
    in_namespace(|| {
        let addresses = ADDRESSES.iter().map(|text| text.parse().unwrap()).collect();
        for _ in 0..2 {
            guard::close(&addresses).unwrap();
        }
        let rules = Command::new("nft")
            .args(["list", "table", "ip6", "kind-services"])
            .output()
            .unwrap();
        let rules = String::from_utf8(rules.stdout).unwrap();
        assert!(
            rules.contains("ip6 daddr @addresses meta l4proto tcp reject"),
            "{rules}"
        );
    });
}
