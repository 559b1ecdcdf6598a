//! Addresses on a real kernel: a network with two nodes, seen from the host.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use k8s_openapi::api::core::v1;
use kind_net::netlink::Netlink;
use kind_net::sysctl;
use serde_json::{Value, json};

use super::announce::{self, Rules};
use super::cluster::{self, ANNOUNCER, SHARED_BY, Service};
use super::link::Link;
use super::share;
use crate::kubernetes::store::Key;
use crate::testing::{NetworkNamespace, in_namespace};

/// The Service's port, which kube-proxy would lead to a pod, and one of the node's own.
const WEB: u16 = 80;
const KUBELET: u16 = 10250;
/// How long to wait for a connection that must not come.
const NO_ANSWER_TIMEOUT: Duration = Duration::from_millis(300);
/// How long to wait for one that must come, however busy the machine is.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
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

/// The host's end of the network.
fn bridge(netlink: &mut Netlink) -> u32 {
    let bridge = netlink.bridge("br-kind").unwrap();
    for address in ["172.18.0.1/16", "fc00:f853::1/64"] {
        netlink.add_address(bridge, net(address)).unwrap();
    }
    netlink.up(bridge).unwrap();
    bridge
}

/// A node with this number on the host's bridge.
fn node(netlink: &mut Netlink, bridge: u32, number: u8) -> NetworkNamespace {
    let place = NetworkNamespace::new();
    let namespace = place.namespace();
    let veth = format!("node{number}");
    netlink
        .veth(&veth, bridge, "eth0", namespace.as_fd())
        .unwrap();
    place.run_inside(move || {
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
            thread::spawn(move || {
                for mut stream in listener.incoming().flatten() {
                    let asker = stream.peer_addr().unwrap().ip().to_canonical();
                    let _ = write!(stream, "{number} {asker}");
                }
            });
        }
    });
    settle(&place);
    place
}

/// Waits until the node's IPv6 addresses are known to be its own. Until then it asks nobody for a neighbour.
fn settle(node: &NetworkNamespace) {
    /// `IFA_F_TENTATIVE`, as the fifth column has it.
    const TENTATIVE: u8 = 0x40;
    node.run_inside(|| {
        let tentative = || {
            let addresses = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
            let flags = addresses
                .lines()
                .filter_map(|line| line.split_whitespace().nth(4));
            flags
                .map(|flags| u8::from_str_radix(flags, 16).unwrap())
                .any(|flags| flags & TENTATIVE != 0)
        };
        let mut tries = 0..100;
        assert!(tries.any(|_| {
            thread::sleep(Duration::from_millis(100));
            !tentative()
        }));
    });
}

/// A Service with these addresses, as the API server has it, that node 2 announces.
fn service(spec: &Value, addresses: &[&str], shared_by: &str) -> BTreeMap<Key, Service> {
    let ingress: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
    let mut object = json!({
        "metadata": {
            "name": "s",
            "namespace": "n",
            "annotations": { ANNOUNCER: "2", SHARED_BY: shared_by },
        },
        "spec": {
            "type": "LoadBalancer",
            "ipFamilies": ["IPv4", "IPv6"],
            "ports": [{ "port": WEB, "protocol": "TCP" }],
        },
        "status": { "loadBalancer": { "ingress": ingress } },
    });
    for (field, value) in spec.as_object().unwrap() {
        object["spec"][field] = value.clone();
    }
    let object: v1::Service = serde_json::from_value(object).unwrap();
    BTreeMap::from([(
        Key::of_object(&object),
        cluster::reduce_service(object).unwrap(),
    )])
}

/// Has a node do its part for the Services, as the node of this name.
fn follow(
    node: &NetworkNamespace,
    number: u8,
    name: &'static str,
    services: BTreeMap<Key, Service>,
) {
    node.run_inside(move || {
        let mut netlink = Netlink::open().unwrap();
        let link = Link::find_link(&mut netlink, IpAddr::from([172, 18, 0, number])).unwrap();
        let wanted = announce::wanted_announcements(&services, name, &link);
        let new = announce::follow_announcements(&link, &wanted, &mut Rules::default()).unwrap();
        announce::announce_addresses(&link, &new).unwrap();
    });
}

/// Has a node announce these addresses and no others.
fn announce(node: &NetworkNamespace, number: u8, addresses: &[&str]) {
    follow(node, number, "2", service(&json!({}), addresses, ""));
    let addresses = addresses.len();
    node.run_inside(move || {
        let mut netlink = Netlink::open().unwrap();
        let link = Link::find_link(&mut netlink, IpAddr::from([172, 18, 0, number])).unwrap();
        assert_eq!(link.announced(&mut netlink).unwrap().len(), addresses);
    });
}

/// What the kernel of a node has of our rules.
fn rules(node: &NetworkNamespace) -> String {
    let listed = node.run_inside(|| Command::new("nft").args(["list", "ruleset"]).output());
    String::from_utf8(listed.unwrap().stdout).unwrap()
}

fn connect(address: &str, port: u16, patience: Duration) -> io::Result<TcpStream> {
    let to = SocketAddr::new(address.parse().unwrap(), port);
    TcpStream::connect_timeout(&to, patience)
}

fn reaches(address: &str, port: u16) -> bool {
    connect(address, port, ANSWER_TIMEOUT).is_ok()
}

/// Tells whether a connection is turned down in words.
fn refuses(address: &str, port: u16) -> bool {
    fails_with(ErrorKind::ConnectionRefused, address, port)
}

/// Tells whether no node of the network says that it has the address.
fn is_nobodys(address: &str) -> bool {
    fails_with(ErrorKind::HostUnreachable, address, WEB)
}

fn fails_with(kind: ErrorKind, address: &str, port: u16) -> bool {
    connect(address, port, ANSWER_TIMEOUT).is_err_and(|error| error.kind() == kind)
}

/// Tells whether nothing comes back of what is sent there.
fn is_silent(address: &str, port: u16) -> bool {
    connect(address, port, NO_ANSWER_TIMEOUT).is_err()
}

#[test]
fn an_address_moves_to_another_node_at_once() {
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = bridge(&mut netlink);
        let nodes = [2, 3].map(|number| node(&mut netlink, bridge, number));
        announce(&nodes[0], 2, &ADDRESSES);
        for address in ADDRESSES {
            assert!(reaches(address, WEB), "{address}");
            assert!(refuses(address, KUBELET), "{address}");
        }
        assert!(
            reaches("172.18.0.2", KUBELET),
            "the node's own address stays open"
        );
        assert!(reaches("172.18.0.2", WEB));

        // The first node dies without a word, and the host still knows where it was.
        netlink.delete_link("node2").unwrap();
        assert!(is_silent(ADDRESSES[0], WEB));
        announce(&nodes[1], 3, &ADDRESSES);
        for address in ADDRESSES {
            assert!(reaches(address, WEB), "{address}");
        }
        announce(&nodes[1], 3, &[]);
        follow(&nodes[1], 3, "2", BTreeMap::new());
        let rules = rules(&nodes[1]);
        assert!(!rules.contains("kind-services"), "{rules}");
    });
}

#[test]
fn an_address_on_another_link_of_a_node_is_not_heard_of() {
    const OTHER: &str = "172.18.255.8";
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        // That nobody has an address is told this way.
        let loopback = netlink.link("lo").unwrap().unwrap();
        netlink.up(loopback).unwrap();
        let bridge = bridge(&mut netlink);
        let nodes = [2, 3].map(|number| node(&mut netlink, bridge, number));
        // kube-proxy's mode ipvs has all addresses there, on all nodes.
        nodes[1].run_inside(|| {
            let mut netlink = Netlink::open().unwrap();
            let link = netlink.bridge("kube-ipvs0").unwrap();
            for address in [ADDRESSES[0], OTHER] {
                let address: IpAddr = address.parse().unwrap();
                netlink.add_address(link, address.into()).unwrap();
            }
            netlink.up(link).unwrap();
            std::fs::write("/proc/sys/net/ipv4/conf/all/arp_ignore", "0").unwrap();
            std::fs::write("/proc/sys/net/ipv4/conf/eth0/arp_ignore", "0").unwrap();
        });
        assert!(reaches(OTHER, WEB), "a kernel answers for all of them");
        nodes[1].run_inside(|| sysctl::set_for_node(Path::new("/proc/sys")).unwrap());
        assert!(is_nobodys(ADDRESSES[0]));
        announce(&nodes[0], 2, &ADDRESSES[..1]);
        let found = answers(ADDRESSES[0], 3);
        assert_eq!(found, BTreeMap::from([("2 172.18.0.1".to_owned(), 3)]));
        announce(&nodes[0], 2, &[]);
        announce(&nodes[1], 3, &ADDRESSES[..1]);
        let found = answers(ADDRESSES[0], 3);
        assert_eq!(found, BTreeMap::from([("3 172.18.0.1".to_owned(), 3)]));
    });
}

#[test]
fn the_kernel_understands_the_guard() {
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = bridge(&mut netlink);
        let node = node(&mut netlink, bridge, 2);
        for _ in 0..2 {
            announce(&node, 2, &ADDRESSES);
        }
        let rules = rules(&node);
        for rule in [
            "ip6 daddr @addresses meta l4proto tcp reject",
            "iif \"eth0\" oif \"eth0\" ip daddr @range drop",
            "172.18.255.1-172.18.255.254",
        ] {
            assert!(rules.contains(rule), "{rule}: {rules}");
        }
    });
}

/// How often each node answers, which says who it is and who asked.
fn answers(address: &str, times: usize) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    for _ in 0..times {
        let mut answer = String::new();
        if let Ok(mut stream) = connect(address, WEB, ANSWER_TIMEOUT) {
            stream.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
            stream.read_to_string(&mut answer).unwrap();
        }
        *answers.entry(answer).or_default() += 1;
    }
    answers
}

#[test]
fn nodes_share_an_address_and_see_who_asks() {
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = bridge(&mut netlink);
        let nodes = [2, 3, 4].map(|number| node(&mut netlink, bridge, number));
        nodes[0].run_inside(|| {
            let mut netlink = Netlink::open().unwrap();
            let link = Link::find_link(&mut netlink, IpAddr::from([172, 18, 0, 2])).unwrap();
            share::probe_share(&link).unwrap();
        });
        assert!(!rules(&nodes[0]).contains("probe"), "nothing stays");
        let local = json!({ "externalTrafficPolicy": "Local" });
        let all = "172.18.0.2=1,172.18.0.3=2,172.18.0.4=1,fc00:f853::3=1,fc00:f853::4=1";
        let asker = ["172.18.0.1", "fc00:f853::1"];
        let share = |spec: &Value, shared_by: &str| {
            follow(&nodes[0], 2, "2", service(spec, &ADDRESSES, shared_by));
        };
        share(&local, all);
        for address in ADDRESSES {
            assert!(reaches(address, WEB), "{address}");
        }
        let found = answers(ADDRESSES[0], 200);
        let of = |number| found.get(&format!("{number} {}", asker[0])).copied();
        let shares = [2, 3, 4].map(|number| of(number).unwrap_or(0));
        assert_eq!(shares.iter().sum::<usize>(), 200, "{found:?}");
        assert!(
            shares[1] > 60 && shares[0] > 20 && shares[2] > 20,
            "{found:?}"
        );
        let found: Vec<String> = answers(ADDRESSES[1], 100).into_keys().collect();
        assert_eq!(found, [3, 4].map(|number| format!("{number} {}", asker[1])));

        // Whoever wants to stay with one pod always gets to the same node.
        share(
            &json!({ "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP" }),
            all,
        );
        assert_eq!(answers(ADDRESSES[0], 20).len(), 1);
        // The announcing node need not have a pod.
        share(&local, "172.18.0.4=1");
        let found = answers(ADDRESSES[0], 20);
        assert_eq!(found, BTreeMap::from([(format!("4 {}", asker[0]), 20)]));
        assert!(refuses(ADDRESSES[0], KUBELET));
        share(&local, "172.18.0.2=1");
        assert!(
            !rules(&nodes[0]).contains("kind-services-ipv4"),
            "all is its own"
        );
    });
}

#[test]
fn what_a_node_hands_on_too_early_is_lost_and_does_not_wander() {
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = bridge(&mut netlink);
        let nodes = [2, 3].map(|number| node(&mut netlink, bridge, number));
        let shared = service(&json!({}), &ADDRESSES[..1], "172.18.0.3=1");
        follow(&nodes[0], 2, "2", shared.clone());
        follow(&nodes[1], 3, "3", shared);
        assert!(reaches(ADDRESSES[0], WEB));
        nodes[1].run_inside(|| {
            std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
            nft("delete table inet proxy");
            count_openings("prerouting");
        });
        count_openings("output");
        assert!(is_silent(ADDRESSES[0], WEB));
        // The host repeats what was lost if the test is late to give up.
        let sent = openings();
        let seen = nodes[1].run_inside(openings);
        assert!((1..=sent).contains(&seen), "{seen} of {sent}");
    });
}

fn nft(rules: &str) -> String {
    let output = Command::new("nft").arg(rules).output().unwrap();
    assert!(output.status.success(), "{rules}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Begins to count how often someone opens a connection to the first address.
fn count_openings(hook: &str) {
    nft(&format!(
        "table ip count {{ counter openings {{ }}; chain c {{ type filter hook {hook} priority 0; \
         ip daddr {} tcp flags & (syn | ack) == syn counter name openings; }}; }}",
        ADDRESSES[0]
    ));
}

/// How often it was.
fn openings() -> u32 {
    let listed = nft("list counter ip count openings");
    let mut words = listed.split_whitespace();
    words.find(|word| *word == "packets").unwrap();
    words.next().unwrap().parse().unwrap()
}
