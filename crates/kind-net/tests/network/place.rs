//! A host with two nodes on a bridge, and a neighbour on its other link.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};
use kind_net::nft;
use kind_net::wall::network_ruleset;
use kind_testkit::machine::require_root;
use rustix::thread::LinkNameSpaceType;

pub(crate) const BRIDGE: &str = "br-0123456789ab";
pub(crate) const SUBNETS: [&str; 2] = ["172.30.0.1/16", "fc00:30::1/64"];
pub(crate) const UPLINK: [&str; 2] = ["10.99.0.1/24", "fd99::1/64"];
pub(crate) const NODES: [[&str; 2]; 2] =
    [["172.30.0.2", "fc00:30::2"], ["172.30.0.3", "fc00:30::3"]];
pub(crate) const NEIGHBOUR: [&str; 2] = ["10.99.0.2", "fd99::2"];

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse::<IpNet>().unwrap().addr()
}

pub(crate) fn listen(address: IpAddr, port: u16) -> TcpListener {
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
pub(crate) struct Space(pub(crate) File);

impl Space {
    pub(crate) fn new() -> Self {
        let make = || {
            kind_sys::namespace::unshare_network().unwrap();
            Self(File::open("/proc/thread-self/ns/net").unwrap())
        };
        std::thread::spawn(make).join().unwrap()
    }

    /// Runs `work` there, in a thread of its own.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            let network = Some(LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(self.0.as_fd(), network).unwrap();
            work()
        };
        std::thread::scope(|scope| scope.spawn(inside).join()).unwrap()
    }

    pub(crate) fn reaches(&self, server: &TcpListener) -> bool {
        self.connects(server.local_addr().unwrap())
    }

    pub(crate) fn connects(&self, target: SocketAddr) -> bool {
        let limit = Duration::from_millis(1500);
        self.run(|| TcpStream::connect_timeout(&target, limit).is_ok())
    }

    /// Gives the link `eth0` addresses and a way to everywhere.
    pub(crate) fn configure(&self, own: [&str; 2], nets: [&str; 2]) {
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
                    protocol: Route::BOOT,
                };
                netlink.route_replace(&route).unwrap();
            }
        });
    }
}

/// A host with two nodes on a bridge and a neighbour on its other link, who knows the way to the nodes.
pub(crate) struct Place {
    pub(crate) host: Space,
    pub(crate) nodes: [Space; 2],
    pub(crate) neighbour: Space,
    pub(crate) server: TcpListener,
    pub(crate) server6: TcpListener,
    /// On the second node.
    pub(crate) node_server: TcpListener,
}

impl Place {
    pub(crate) fn new() -> Self {
        require_root();
        let (host, neighbour) = (Space::new(), Space::new());
        let nodes = [Space::new(), Space::new()];
        host.run(|| {
            let mut netlink = Netlink::open().unwrap();
            let loopback = netlink.link("lo").unwrap().unwrap();
            netlink.up(loopback).unwrap();
            bridge(BRIDGE, SUBNETS, &nodes.each_ref());
            bridge("uplink", UPLINK, &[&neighbour]);
            let subnets = SUBNETS.map(|net| net.parse::<IpNet>().unwrap().trunc());
            nft::apply(&network_ruleset(BRIDGE, &subnets)).unwrap();
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
        for server in [&self.server, &self.server6, &self.node_server] {
            self.wait_for_link(&self.nodes[0], server);
        }
    }

    pub(crate) fn wait_for_link(&self, from: &Space, server: &TcpListener) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !from.reaches(server) {
            assert!(Instant::now() < deadline, "{server:?} is not reached");
        }
    }
}

/// Makes a bridge with a link `eth0` in each of the other namespaces.
pub(crate) fn bridge(name: &str, gateways: [&str; 2], others: &[&Space]) {
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
