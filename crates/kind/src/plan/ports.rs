//! Ports that a node publishes on the host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kind_config::{API_SERVER_PORT, Cluster, IpFamily, Node, Role};
use kind_engine::{Port, Protocol};

/// The node's extra ports and, on control planes, the API server's.
pub(super) fn published_ports(cluster: &Cluster, node: &Node) -> Vec<Port> {
    let family = &cluster.networking.ip_family;
    let mut ports: Vec<_> = node
        .extra_port_mappings
        .iter()
        .map(|mapping| {
            let listen = match mapping.listen_address.as_str() {
                "" => unspecified_address(family),
                // A checked configuration has no other texts. Should one come here, nothing is opened by mistake.
                text => text.parse().unwrap_or_else(|_| loopback_address(family)),
            };
            let container = u16::try_from(mapping.container_port).unwrap_or(0);
            published_on(listen, mapping.host_port, container, mapping.protocol)
        })
        .collect();
    if node.role == Role::ControlPlane {
        ports.push(api_server(cluster));
    }
    ports
}

/// The API server's port. Behind a load balancer only the host itself gets at a single one.
fn api_server(cluster: &Cluster) -> Port {
    match cluster.load_balancer() {
        Some(_) => {
            let listen = loopback_address(&cluster.networking.ip_family);
            published_on(listen, 0, API_SERVER_PORT, Protocol::Tcp)
        }
        None => endpoint_port(cluster),
    }
}

/// The port where the host reaches the cluster's API server.
pub(super) fn endpoint_port(cluster: &Cluster) -> Port {
    let networking = &cluster.networking;
    let loopback = loopback_address(&networking.ip_family);
    let listen = networking.api_server_address.parse().unwrap_or(loopback);
    let host = networking.api_server_port;
    published_on(listen, host, API_SERVER_PORT, Protocol::Tcp)
}

/// A port with a host port of the configuration: 0 is a port that is chosen once, below that one that
/// is chosen at each start.
fn published_on(listen: IpAddr, host: i32, container: u16, protocol: Protocol) -> Port {
    Port {
        listen,
        host: u16::try_from(host).unwrap_or(0),
        container,
        protocol,
        changing: host < 0,
    }
}

fn unspecified_address(family: &IpFamily) -> IpAddr {
    if family.has_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    }
}

fn loopback_address(family: &IpFamily) -> IpAddr {
    if family.has_ipv4() {
        Ipv4Addr::LOCALHOST.into()
    } else {
        Ipv6Addr::LOCALHOST.into()
    }
}
