//! A bridge behind firewalls that drop: a host, two nodes and a neighbour, each a network namespace.
//!
//! Needs root, nft and iptables.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};
use kind_net::{admission, nft};
use kind_testkit::machine::{require_programs, require_root};
use rustix::thread::LinkNameSpaceType;

const BRIDGE: &str = "br-0123456789ab";
const SUBNETS: [&str; 2] = ["172.30.0.1/16", "fc00:30::1/64"];
const UPLINK: [&str; 2] = ["10.99.0.1/24", "fd99::1/64"];
const NODES: [[&str; 2]; 2] = [["172.30.0.2", "fc00:30::2"], ["172.30.0.3", "fc00:30::3"]];
const NEIGHBOUR: [&str; 2] = ["10.99.0.2", "fd99::2"];

#[test]
fn docker_with_nft() {
    let rules =
        "-N DOCKER-USER; -A DOCKER-USER -j RETURN; -A FORWARD -j DOCKER-USER; -P FORWARD DROP";
    opens(["iptables-nft", "ip6tables-nft"], rules, "DOCKER-USER");
}

#[test]
fn a_dropping_policy_with_nft() {
    opens(
        ["iptables-nft", "ip6tables-nft"],
        "-P FORWARD DROP",
        "FORWARD",
    );
}

#[test]
fn a_dropping_policy_with_legacy() {
    opens(
        ["iptables-legacy", "ip6tables-legacy"],
        "-P FORWARD DROP",
        "FORWARD",
    );
}

#[test]
fn docker_with_legacy() {
    let rules = "-N DOCKER-USER; -I FORWARD -j DOCKER-USER; -P FORWARD DROP";
    opens(
        ["iptables-legacy", "ip6tables-legacy"],
        rules,
        "DOCKER-USER",
    );
}

#[test]
fn a_rejecting_rule() {
    opens(
        ["iptables-nft", "ip6tables-nft"],
        "-A FORWARD -j REJECT",
        "FORWARD",
    );
}

#[test]
fn names_of_the_host() {
    let programs = ["iptables-nft", "ip6tables-nft"];
    require_programs(&programs);
    let place = Place::new();
    // As with ufw: the host answers its neighbours, and those that look for them.
    let rules = "-A INPUT -p ipv6-icmp -j ACCEPT; -P INPUT DROP";
    place.host.run(|| firewall(programs, rules));
    let servers = SUBNETS.map(|gateway| place.host.run(|| listen(address(gateway), 53)));
    assert!(!place.nodes[0].reaches(&servers[0]));
    place.host.run(|| admission::grant(BRIDGE).unwrap());
    for server in &servers {
        assert!(place.nodes[0].reaches(server));
        assert!(!place.neighbour.reaches(server));
    }
    place.host.run(|| admission::revoke(BRIDGE).unwrap());
    assert!(!place.nodes[0].reaches(&servers[0]));
}

#[test]
fn a_host_that_drops_nothing_is_not_touched() {
    require_programs(&["nft", "ip"]);
    let place = Place::new();
    let before = place.host.run(|| nft::tables().unwrap());
    place.host.run(|| {
        admission::grant(BRIDGE).unwrap();
        assert_eq!(nft::tables().unwrap(), before);
        admission::revoke(BRIDGE).unwrap();
        assert_eq!(nft::tables().unwrap(), before);
    });
    assert!(place.nodes[0].reaches(&place.server));
}

/// Checks that nodes are cut off by `rules`, that they are not once admitted, and that the host's rules
/// are the old ones in the end.
fn opens(programs: [&str; 2], rules: &str, chain: &str) {
    require_programs(&programs);
    let place = Place::new();
    place.host.run(|| firewall(programs, rules));
    let before = place.host.run(|| listings(programs));
    for server in [&place.server, &place.server6] {
        assert!(!place.nodes[0].reaches(server), "{rules} drops nothing");
    }
    let bridged = fs::exists("/proc/sys/net/bridge").unwrap();
    assert_eq!(place.nodes[0].reaches(&place.node_server), !bridged);

    place.host.run(|| admission::grant(BRIDGE).unwrap());
    let granted = place.host.run(|| listings(programs));
    assert_eq!(
        granted.matches(&format!("-A {chain} ")).count()
            - before.matches(&format!("-A {chain} ")).count(),
        4
    );
    place.host.run(|| admission::grant(BRIDGE).unwrap());
    assert_eq!(place.host.run(|| listings(programs)), granted);
    for server in [&place.server, &place.server6, &place.node_server] {
        assert!(place.nodes[0].reaches(server), "{server:?}\n{granted}");
    }
    assert!(!place.neighbour.reaches(&place.node_server), "{granted}");

    place.host.run(|| admission::revoke(BRIDGE).unwrap());
    assert_eq!(place.host.run(|| listings(programs)), before);
    assert!(!place.nodes[0].reaches(&place.server));
}

fn firewall(programs: [&str; 2], rules: &str) {
    for program in programs {
        for rule in rules.split("; ") {
            if program.starts_with("iptables") && rule.contains("ipv6") {
                continue;
            }
            output(program, &rule.split(' ').collect::<Vec<_>>());
        }
    }
}

fn listings(programs: [&str; 2]) -> String {
    programs.map(|program| output(program, &["-S"])).concat()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse::<IpNet>().unwrap().addr()
}

fn listen(address: IpAddr, port: u16) -> TcpListener {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        // An IPv6 address can be bound once the kernel knows that nobody else has it.
        match TcpListener::bind((address, port)) {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < deadline, "{address}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A network namespace.
struct Space(File);

impl Space {
    fn new() -> Self {
        let make = || {
            kind_sys::namespace::unshare_network().unwrap();
            Self(File::open("/proc/thread-self/ns/net").unwrap())
        };
        std::thread::spawn(make).join().unwrap()
    }

    /// Runs `work` there, in a thread of its own.
    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            let network = Some(LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(self.0.as_fd(), network).unwrap();
            work()
        };
        std::thread::scope(|scope| scope.spawn(inside).join()).unwrap()
    }

    fn reaches(&self, server: &TcpListener) -> bool {
        let target: SocketAddr = server.local_addr().unwrap();
        let limit = Duration::from_millis(1500);
        self.run(|| TcpStream::connect_timeout(&target, limit).is_ok())
    }

    /// Gives the link `eth0` addresses and a way to everywhere.
    fn configure(&self, own: [&str; 2], nets: [&str; 2]) {
        self.run(|| {
            let mut netlink = Netlink::open().unwrap();
            let link = netlink.link("eth0").unwrap().unwrap();
            for (own, net) in own.iter().zip(nets) {
                let net: IpNet = net.parse().unwrap();
                let own = IpNet::new(own.parse().unwrap(), net.prefix_len()).unwrap();
                netlink.add_address(link, own).unwrap();
                netlink.up(link).unwrap();
                let everywhere = if net.addr().is_ipv4() {
                    "0.0.0.0/0"
                } else {
                    "::/0"
                };
                let route = Route {
                    to: everywhere.parse().unwrap(),
                    via: Some(net.addr()),
                    link: Some(link),
                };
                netlink.route_replace(&route).unwrap();
            }
        });
    }
}

/// A host with two nodes on a bridge and a neighbour on its other link, who knows the way to the nodes.
struct Place {
    host: Space,
    nodes: [Space; 2],
    neighbour: Space,
    server: TcpListener,
    server6: TcpListener,
    /// On the second node.
    node_server: TcpListener,
}

impl Place {
    fn new() -> Self {
        require_root();
        let (host, neighbour) = (Space::new(), Space::new());
        let nodes = [Space::new(), Space::new()];
        host.run(|| {
            bridge(BRIDGE, SUBNETS, &nodes.each_ref());
            bridge("uplink", UPLINK, &[&neighbour]);
            let subnets = SUBNETS.map(|net| net.parse::<IpNet>().unwrap().trunc());
            nft::apply(&nft::masquerade(BRIDGE, BRIDGE, &subnets)).unwrap();
            for switch in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                fs::write(format!("/proc/sys/net/{switch}"), "1").unwrap();
            }
        });
        for (node, own) in nodes.iter().zip(NODES) {
            node.configure(own, SUBNETS);
        }
        neighbour.configure(NEIGHBOUR, UPLINK);
        let serve = |space: &Space, text: &str| space.run(|| listen(text.parse().unwrap(), 80));
        let place = Self {
            server: serve(&neighbour, NEIGHBOUR[0]),
            server6: serve(&neighbour, NEIGHBOUR[1]),
            node_server: serve(&nodes[1], NODES[1][0]),
            host,
            nodes,
            neighbour,
        };
        place.wait_for_links();
        place
    }

    /// The kernel takes its time to let packets through new links.
    fn wait_for_links(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        for server in [&self.server, &self.server6, &self.node_server] {
            while !self.nodes[0].reaches(server) {
                assert!(Instant::now() < deadline, "{server:?} is not reached");
            }
        }
    }
}

/// Makes a bridge with a link `eth0` in each of the other namespaces.
fn bridge(name: &str, gateways: [&str; 2], others: &[&Space]) {
    let mut netlink = Netlink::open().unwrap();
    let bridge = netlink.bridge(name).unwrap();
    for gateway in gateways {
        netlink
            .add_address(bridge, gateway.parse().unwrap())
            .unwrap();
    }
    netlink.up(bridge).unwrap();
    for (number, other) in others.iter().enumerate() {
        let link = format!("{}{number}", &name[..4]);
        netlink
            .veth(&link, bridge, "eth0", other.0.as_fd())
            .unwrap();
    }
}
