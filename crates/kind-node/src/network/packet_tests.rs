//! A node with a pod on a real kernel, beside an outside that takes connections to every address.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};
use kind_net::sysctl;

use super::unserved;
use crate::testing::{NetworkNamespace, in_namespace, listed_after};

/// How long to wait for an answer that must not come.
const NO_ANSWER_TIMEOUT: Duration = Duration::from_millis(300);
/// How long to wait for one that must come, however busy the machine is.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const POD: &str = "10.244.0.5";
const GATEWAY: &str = "10.244.0.1";
const PORT: u16 = 8080;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn route(netlink: &mut Netlink, to: &str, via: Option<&str>, link: u32) {
    let via = via.map(|via| via.parse().unwrap());
    let route = Route {
        to: net(to),
        via,
        link: Some(link),
        protocol: Route::BOOT,
    };
    netlink.route_replace(&route).unwrap();
}

fn nft(rules: &str) {
    assert!(Command::new("nft").arg(rules).status().unwrap().success());
}

fn write(sysctl: &str, value: &str) {
    std::fs::write(Path::new("/proc/sys/net/ipv4").join(sysctl), value).unwrap();
}

fn listen() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
}

/// A namespace at the other end of a link that this one gets, with that address.
fn neighbour(
    netlink: &mut Netlink,
    name: &str,
    own: &str,
    address: &'static str,
) -> (NetworkNamespace, u32) {
    let place = NetworkNamespace::new();
    let namespace = place.namespace();
    let link = netlink.bridge(name).unwrap();
    netlink
        .veth(&format!("v{name}"), link, "eth0", namespace.as_fd())
        .unwrap();
    netlink.add_address(link, net(own)).unwrap();
    netlink.up(link).unwrap();
    place.run_inside(move || {
        let mut netlink = Netlink::open().unwrap();
        let link = netlink.link("eth0").unwrap().unwrap();
        netlink.add_address(link, net(address)).unwrap();
        netlink.up(link).unwrap();
        listen();
    });
    (place, link)
}

/// The node's pod, as the plugin ptp makes one: the gateway's address is a network of its own.
fn pod(netlink: &mut Netlink) -> NetworkNamespace {
    let (pod, link) = neighbour(netlink, "pod", "10.244.0.1/32", "10.244.0.5/24");
    route(netlink, "10.244.0.5/32", None, link);
    pod.run_inside(|| {
        let mut netlink = Netlink::open().unwrap();
        let link = netlink.link("eth0").unwrap().unwrap();
        route(&mut netlink, "0.0.0.0/0", Some(GATEWAY), link);
    });
    pod
}

/// What is outside of the node, which takes every connection to port 80.
fn outside(netlink: &mut Netlink) -> NetworkNamespace {
    let (outside, link) = neighbour(netlink, "out", "172.18.0.2/16", "172.18.0.1/16");
    route(netlink, "0.0.0.0/0", Some("172.18.0.1"), link);
    outside.run_inside(|| {
        nft(
            "table ip everyone { chain c { type nat hook prerouting priority -100; \
             tcp dport 80 redirect to :8080; }; }",
        );
        let mut netlink = Netlink::open().unwrap();
        let link = netlink.link("eth0").unwrap().unwrap();
        route(&mut netlink, "10.244.0.0/24", Some("172.18.0.2"), link);
    });
    outside
}

/// A node that routes between its pod and what is outside.
fn node() -> (NetworkNamespace, NetworkNamespace) {
    let mut netlink = Netlink::open().unwrap();
    // A refusal of what the node itself sends comes back this way.
    let loopback = netlink.link("lo").unwrap().unwrap();
    netlink.up(loopback).unwrap();
    write("ip_forward", "1");
    (pod(&mut netlink), outside(&mut netlink))
}

fn connect_within(address: &str, port: u16, patience: Duration) -> Result<(), ErrorKind> {
    let to = SocketAddr::new(address.parse().unwrap(), port);
    let stream = TcpStream::connect_timeout(&to, patience);
    stream.map(drop).map_err(|error| error.kind())
}

fn connect(address: &str, port: u16) -> Result<(), ErrorKind> {
    connect_within(address, port, ANSWER_TIMEOUT)
}

#[test]
fn pods_reach_a_node_whose_host_answers_only_neighbours_of_its_own() {
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        // What a new namespace has of its host's.
        let inherit = || {
            for scope in ["all", "default"] {
                write(&format!("conf/{scope}/arp_ignore"), "2");
            }
        };
        inherit();
        let pod = pod(&mut netlink);
        let outside = outside(&mut netlink);
        for place in [&pod, &outside] {
            place.run_inside(inherit);
        }
        listen();
        write("ip_forward", "1");
        let silent = pod.run_inside(|| connect_within(GATEWAY, PORT, NO_ANSWER_TIMEOUT));
        assert!(silent.is_err(), "the node does not answer its pod");
        sysctl::set_for_node(Path::new("/proc/sys")).unwrap();
        // One that is made while the pod still waits for an answer to its first question fails with it.
        let mut tries = 0..10;
        assert!(tries.any(|_| pod.run_inside(|| connect(GATEWAY, PORT)).is_ok()));
        // The node's answer to a pod goes out under another address than the gateway's.
        pod.run_inside(|| connect("172.18.0.2", PORT)).unwrap();
        connect(POD, PORT).unwrap();
        outside.run_inside(|| connect(POD, PORT)).unwrap();
    });
}

#[test]
fn an_address_that_no_service_has_is_refused_where_everyone_answers() {
    in_namespace(|| {
        let (pod, _outside) = node();
        // What kube-proxy has of the Services that there are.
        for hook in ["prerouting", "output"] {
            nft(&format!(
                "table ip proxy {{ chain {hook} {{ type nat hook {hook} priority -100; \
                 ip daddr 10.96.0.1 tcp dport 80 dnat to 172.18.0.1:8080; }}; }}"
            ));
        }
        let unserved = [("10.96.0.99", 80), ("10.96.0.1", 443)];
        connect("10.96.0.99", 80).expect("the outside answers");
        pod.run_inside(|| connect("10.96.0.99", 80)).unwrap();

        let _ = listed_after(&unserved::unserved_tables(&[net("10.96.0.0/16")]));
        for (address, port) in unserved {
            let refused = Err(ErrorKind::ConnectionRefused);
            assert_eq!(connect(address, port), refused, "{address}:{port}");
            assert_eq!(
                pod.run_inside(move || connect(address, port)),
                refused,
                "{address}:{port}"
            );
        }
        for place in [None, Some(&pod)] {
            for address in ["10.96.0.1", "192.0.2.9"] {
                let reached = place.map_or_else(
                    || connect(address, 80),
                    |pod| pod.run_inside(move || connect(address, 80)),
                );
                reached.unwrap();
            }
        }
    });
}

#[test]
fn what_kube_proxy_drops_is_not_refused() {
    in_namespace(|| {
        let (pod, _outside) = node();
        // What kube-proxy has of a Service with `internalTrafficPolicy: Local` and no pod on this node.
        for hook in ["forward", "output"] {
            nft(&format!(
                "table ip proxy {{ chain {hook} {{ type filter hook {hook} priority 0; \
                 ip daddr 10.96.0.5 tcp dport 53 drop; }}; }}"
            ));
        }
        // Ours come later, as after a new start of the pod network.
        let _ = listed_after(&unserved::unserved_tables(&[net("10.96.0.0/16")]));
        let waiting = || connect_within("10.96.0.5", 53, NO_ANSWER_TIMEOUT);
        let refused = || connect("10.96.0.5", 54);
        assert_eq!(waiting(), Err(ErrorKind::TimedOut));
        assert_eq!(pod.run_inside(waiting), Err(ErrorKind::TimedOut));
        assert_eq!(refused(), Err(ErrorKind::ConnectionRefused));
        assert_eq!(pod.run_inside(refused), Err(ErrorKind::ConnectionRefused));
    });
}
