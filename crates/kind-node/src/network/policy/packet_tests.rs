//! Policies on a real kernel: namespaces with real packets between them.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};
use serde_json::{Value, json};

use super::kernel::Kernel;
use super::model::{NODE, World, settings};
use crate::restricted_pods;
use crate::testing::{NetworkNamespace, in_namespace};

const WEB: u16 = 8080;
const OTHER: u16 = 8081;
/// How long to wait for a connection that must not come.
const NO_ANSWER_TIMEOUT: Duration = Duration::from_millis(300);
/// How long to wait for one that must come, however busy the machine is.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A pod with a network namespace of its own.
struct Pod {
    place: NetworkNamespace,
    number: u8,
}

impl Pod {
    /// Makes a pod that the node reaches through a link of its own, listening on both ports.
    fn new(netlink: &mut Netlink, number: u8) -> Self {
        let place = NetworkNamespace::new();
        let namespace = place.namespace();
        let bridge = netlink.bridge(&format!("pods{number}")).unwrap();
        let veth = format!("pod{number}");
        netlink
            .veth(&veth, bridge, "eth0", namespace.as_fd())
            .unwrap();
        for gateway in [
            net(&format!("10.244.{number}.1/24")),
            net(&format!("fd00:10:244:{number}::1/64")),
        ] {
            netlink.add_address(bridge, gateway).unwrap();
        }
        netlink.up(bridge).unwrap();
        place.run_inside(move || set_up_pod(number));
        Self { place, number }
    }

    fn addresses(&self) -> [String; 2] {
        [
            format!("10.244.{}.2", self.number),
            format!("fd00:10:244:{}::2", self.number),
        ]
    }

    fn sockets(&self, port: u16) -> [SocketAddr; 2] {
        let socket = |address: String| SocketAddr::new(address.parse().unwrap(), port);
        self.addresses().map(socket)
    }

    fn connect(&self, to: SocketAddr, patience: Duration) -> Option<TcpStream> {
        self.place
            .run_inside(move || TcpStream::connect_timeout(&to, patience).ok())
    }

    /// Tells whether connections come about by both families.
    fn reaches(&self, all: [SocketAddr; 2]) -> bool {
        all.into_iter()
            .all(|to| self.connect(to, ANSWER_TIMEOUT).is_some())
    }

    /// Tells whether connections come about by neither family.
    fn misses(&self, all: [SocketAddr; 2]) -> bool {
        all.into_iter()
            .all(|to| self.connect(to, NO_ANSWER_TIMEOUT).is_none())
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn set_up_pod(number: u8) {
    let mut netlink = Netlink::open().unwrap();
    let link = netlink.link("eth0").unwrap().unwrap();
    for address in [
        net(&format!("10.244.{number}.2/24")),
        net(&format!("fd00:10:244:{number}::2/64")),
    ] {
        netlink.add_address(link, address).unwrap();
    }
    netlink.up(link).unwrap();
    for (to, via) in [
        ("0.0.0.0/0", format!("10.244.{number}.1")),
        ("::/0", format!("fd00:10:244:{number}::1")),
    ] {
        let route = Route {
            to: net(to),
            via: via.parse().ok(),
            link: Some(link),
            protocol: Route::BOOT,
        };
        netlink.route_replace(&route).unwrap();
    }
    for port in [WEB, OTHER] {
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).unwrap();
        thread::spawn(move || {
            listener.incoming().for_each(|stream| {
                thread::spawn(move || echo(stream.unwrap()));
            })
        });
    }
}

fn echo(mut stream: TcpStream) {
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
}

fn nft(arguments: &str) -> String {
    let output = Command::new("nft")
        .args(arguments.split(' '))
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Those of the node's own pods.
fn ranges() -> [IpNet; 2] {
    ["10.244.2.0/24", "fd00:10:244:2::/64"].map(net)
}

/// A node with three pods `a`, `b` and `c` in one namespace; `b` is this node's, the others need not be.
struct Lab {
    world: World,
    kernel: Kernel,
    pods: [Pod; 3],
}

impl Lab {
    fn set(&mut self) {
        self.kernel.set_for(&self.world.cluster, &ranges()).unwrap();
    }

    fn label(&mut self, index: usize, label: &str) {
        let name = ["a", "b", "c"][index];
        let node = if name == "b" { NODE } else { "far" };
        let addresses = self.pods[index].addresses();
        let addresses = [addresses[0].as_str(), addresses[1].as_str()];
        self.world
            .pod(("n", name, node), label, &addresses, json!({}));
        self.set();
    }

    fn policy(&mut self, spec: Value) {
        self.world.policy("n", spec);
        self.set();
    }
}

/// Runs in a network namespace of its own, which ends with the thread.
fn in_lab(test: impl FnOnce(Lab) + Send + 'static) {
    in_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let pods = [1, 2, 3].map(|number| Pod::new(&mut netlink, number));
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
        let mut world = World::new();
        world.namespace("n", "red");
        let kernel = Kernel::open_kernel(&settings()).unwrap();
        let mut lab = Lab {
            world,
            kernel,
            pods,
        };
        for index in 0..3 {
            lab.label(index, ["a", "b", "c"][index]);
        }
        for [from, to] in [[0, 1], [1, 0], [2, 1], [1, 2]] {
            wait_for_links(&lab.pods[from], &lab.pods[to]);
        }
        test(lab);
    });
}

/// New links take a moment until IPv6 works on them.
fn wait_for_links(from: &Pod, to: &Pod) {
    for to in to.sockets(WEB) {
        let mut tries = 0..100;
        let reached = tries.any(|_| {
            thread::sleep(Duration::from_millis(20));
            from.connect(to, NO_ANSWER_TIMEOUT).is_some()
        });
        assert!(reached, "{to}");
    }
}

#[test]
fn what_a_pod_may_get() {
    in_lab(|mut lab| {
        assert!(lab.pods[0].reaches(lab.pods[1].sockets(WEB)));
        let [a, b, ..] = &lab.pods;
        let address = b.sockets(WEB)[0];
        let mut standing = a.connect(address, ANSWER_TIMEOUT).unwrap();
        standing.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();

        lab.policy(json!({ "podSelector": { "matchLabels": { "app": "b" } } }));
        let [a, b, _] = &lab.pods;
        assert!(a.misses(b.sockets(WEB)));
        assert!(b.reaches(a.sockets(WEB)), "the other way");
        let here = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT);
        assert!(here.is_ok(), "the node itself");
        let mut answer = [0];
        standing.write_all(b"x").unwrap();
        standing.read_exact(&mut answer).unwrap();

        lab.policy(json!({
            "podSelector": { "matchLabels": { "app": "b" } },
            "ingress": [{
                "from": [{ "podSelector": { "matchLabels": { "app": "a" } } }],
                "ports": [{ "port": "web" }],
            }],
        }));
        let [a, b, c] = &lab.pods;
        assert!(a.reaches(b.sockets(WEB)));
        assert!(a.misses(b.sockets(OTHER)));
        assert!(c.misses(b.sockets(WEB)));
        // A change of a label changes one set.
        lab.label(2, "a");
        assert!(lab.pods[2].reaches(lab.pods[1].sockets(WEB)));
        lab.label(0, "c");
        assert!(lab.pods[0].misses(lab.pods[1].sockets(WEB)));

        // Through a Service's address, as kube-proxy has it.
        nft("add table ip nat");
        nft("add chain ip nat prerouting { type nat hook prerouting priority -100; }");
        nft("add rule ip nat prerouting ip daddr 10.96.0.1 tcp dport 80 dnat to 10.244.2.2:8080");
        let service: SocketAddr = "10.96.0.1:80".parse().unwrap();
        assert!(lab.pods[2].connect(service, ANSWER_TIMEOUT).is_some());
        assert!(lab.pods[0].connect(service, NO_ANSWER_TIMEOUT).is_none());
    });
}

#[test]
fn what_a_pod_may_send() {
    in_lab(|mut lab| {
        let on_node = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 9000)).unwrap();
        let node: [SocketAddr; 2] =
            ["10.244.2.1:9000", "[fd00:10:244:2::1]:9000"].map(|text| text.parse().unwrap());
        assert!(lab.pods[1].reaches(node));

        lab.policy(
            json!({ "podSelector": { "matchLabels": { "app": "b" } }, "policyTypes": ["Egress"] }),
        );
        let [a, b, _] = &lab.pods;
        assert!(b.misses(a.sockets(WEB)));
        assert!(a.reaches(b.sockets(WEB)), "the other way");
        assert!(b.misses(node));

        let blocks = json!([
            { "ipBlock": { "cidr": "10.244.0.0/16", "except": ["10.244.3.0/24"] } },
            { "ipBlock": { "cidr": "fd00:10:244::/56", "except": ["fd00:10:244:3::/64"] } },
        ]);
        lab.policy(json!({
            "podSelector": {}, "policyTypes": ["Egress"],
            "egress": [{ "to": blocks, "ports": [{ "port": 8000, "endPort": 8080 }] }, { "ports": [{ "port": 9000 }] }],
        }));
        let [a, b, c] = [&lab.pods[0], &lab.pods[1], &lab.pods[2]];
        assert!(b.reaches(a.sockets(WEB)));
        assert!(b.misses(a.sockets(OTHER)));
        assert!(b.misses(c.sockets(WEB)));
        assert!(b.reaches(node));

        // What others may get does not matter to it.
        lab.policy(json!({ "podSelector": { "matchLabels": { "app": "b" } } }));
        assert!(lab.pods[1].reaches(node));
        drop(on_node);
    });
}

#[test]
fn a_policy_that_the_kernel_refuses_allows_nothing_and_stops_no_other() {
    in_lab(|mut lab| {
        let to_b = json!({ "podSelector": { "matchLabels": { "app": "b" } }, "ingress": [{}] });
        // No chain can have a name of that length.
        lab.world.policy_with_id("n", "x".repeat(300), to_b);
        lab.set();
        assert!(lab.pods[0].misses(lab.pods[1].sockets(WEB)));
        // Another one is in force beside it.
        lab.policy(json!({
            "podSelector": { "matchLabels": { "app": "b" } },
            "ingress": [{ "from": [{ "podSelector": { "matchLabels": { "app": "a" } } }] }],
        }));
        assert!(lab.pods[0].reaches(lab.pods[1].sockets(WEB)));
        assert!(lab.pods[2].misses(lab.pods[1].sockets(WEB)));
    });
}

#[test]
fn pods_of_a_node_that_starts_wait_for_their_policies() {
    in_lab(|mut lab| {
        let directory = tempfile::tempdir().unwrap();
        let configuration = directory.path().join("10-kindnet.conflist");
        let own = ranges().map(|range| range.to_string());
        fs::write(&configuration, kind_node::cni::conflist(&own, None)).unwrap();
        restricted_pods::remember_restriction(&configuration).unwrap();
        // The rules that were there went with the node's network.
        lab.kernel.clear_rules().unwrap();
        assert!(lab.pods[0].reaches(lab.pods[1].sockets(WEB)));

        assert!(restricted_pods::close_pods(&configuration).unwrap());
        let [a, b, c] = &lab.pods;
        assert!(a.misses(b.sockets(WEB)) && b.misses(a.sockets(WEB)));
        assert!(a.reaches(c.sockets(WEB)), "pods of other nodes");
        let here = TcpStream::connect_timeout(&b.sockets(WEB)[0], ANSWER_TIMEOUT);
        assert!(here.is_ok(), "the node itself");

        lab.policy(json!({ "podSelector": { "matchLabels": { "app": "b" } } }));
        let [a, b, _] = &lab.pods;
        assert!(a.misses(b.sockets(WEB)));
        assert!(b.reaches(a.sockets(WEB)), "its policy has no say in that");
    });
}

/// A few hundred pods, of which this node has a hundred, and policies among them.
fn populate(world: &mut World) {
    for number in 0..300u16 {
        let [high, low] = number.to_be_bytes();
        let addresses = [
            format!("10.244.{}.{low}", 10 + high),
            format!("fd00:10:244:10::{number:x}"),
        ];
        let node = if number % 3 == 0 { NODE } else { "far" };
        let app = format!("app-{}", number % 30);
        let place = ("n", &*format!("pod-{number}"), node);
        world.pod(place, &app, &[&addresses[0], &addresses[1]], json!({}));
    }
    for number in 0..30 {
        let peers = json!([{ "podSelector": { "matchLabels": { "app": format!("app-{}", (number + 1) % 30) } } }]);
        world.policy("n", json!({
            "podSelector": { "matchLabels": { "app": format!("app-{number}") } },
            "ingress": [{ "from": peers, "ports": [{ "port": "web" }, { "port": 80 }] }],
            "egress": [{ "to": peers }, { "to": [{ "ipBlock": { "cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"] } }] }],
        }));
    }
}

#[test]
fn changes_lead_to_the_same_rules_as_a_new_start() {
    in_lab(|mut lab| {
        populate(&mut lab.world);
        lab.set();
        for number in 0..10 {
            let address: IpAddr = [10, 244, 20, number].into();
            let place = ("n", &*format!("new-{number}"), NODE);
            lab.world
                .pod(place, "app-3", &[&address.to_string()], json!({}));
            lab.world.pod(
                ("n", &format!("pod-{number}"), NODE),
                "app-none",
                &[],
                json!({}),
            );
            lab.set();
        }
        let elements = |text: &str| {
            let mut words: Vec<String> = text
                .split([',', '\n', ' ', '{', '}'])
                .map(|word| word.trim().to_owned())
                .collect();
            words.sort();
            words
        };
        let changed = nft("-n list ruleset");
        let mut fresh = Kernel::open_kernel(&settings()).unwrap();
        fresh.set_for(&lab.world.cluster, &ranges()).unwrap();
        assert_eq!(elements(&changed), elements(&nft("-n list ruleset")));
    });
}
