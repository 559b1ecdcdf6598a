//! Ports of the host that a whole cluster wants.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ports::Wanted;
use crate::error::FieldError;
use crate::model::{Cluster, PortMapping, Protocol, Role};
use crate::names::API_SERVER_PORT;

const API_SERVER_FIELD: &str = "networking.apiServerPort";

/// A port of the host that is wanted, and for what.
#[derive(Clone)]
struct Publication {
    /// The node that has it, by its place; `None` for the load balancer.
    node: Option<usize>,
    /// The field that asks for it.
    field: String,
    container: i32,
    wanted: Wanted,
}

/// Two that want the same port.
struct Collision {
    earlier: Publication,
    later: Publication,
}

/// Collisions with which a node does not start.
pub(super) fn collision_problems(cluster: &Cluster) -> Vec<FieldError> {
    let collisions = collisions(cluster).into_iter();
    let hard = collisions.filter(Collision::is_hard);
    hard.map(|collision| {
        let hint = Some("give one of them another port of the host");
        FieldError::new(&collision.later.field, collision.to_string()).hint(hint)
    })
    .collect()
}

/// Collisions that some engine or host may bear, though both are hardly meant.
pub(super) fn collision_warnings(cluster: &Cluster) -> Vec<String> {
    let collisions = collisions(cluster).into_iter();
    let soft = collisions.filter(|collision| !collision.is_hard());
    soft.map(|collision| collision.to_string()).collect()
}

impl Cluster {
    /// Addresses of the host at which mappings publish the API server, beside the API server's own.
    pub fn published_api_server_addresses(&self) -> Vec<IpAddr> {
        let nodes = self.nodes.iter();
        let control_planes = nodes.filter(|node| node.role == Role::ControlPlane);
        let mappings = control_planes.flat_map(|node| &node.extra_port_mappings);
        let of_api_server = mappings.filter(|mapping| {
            mapping.protocol == Protocol::Tcp
                && mapping.container_port == i32::from(API_SERVER_PORT)
        });
        let addresses = of_api_server.filter_map(|mapping| mapping.listen_address.parse().ok());
        addresses
            .filter(|address: &IpAddr| !address.is_unspecified())
            .collect()
    }
}

/// The API server's port is looked at first: of two that collide, the mapping is at fault.
fn collisions(cluster: &Cluster) -> Vec<Collision> {
    let mut taken: Vec<Publication> = Vec::new();
    let mut found = Vec::new();
    let mappings = (0..cluster.nodes.len()).flat_map(|node| node_publications(cluster, node));
    for later in api_server(cluster).into_iter().chain(mappings) {
        let mut others = taken.iter();
        if let Some(earlier) = others.find(|earlier| earlier.collides(&later)) {
            found.push(Collision {
                earlier: earlier.clone(),
                later: later.clone(),
            });
        }
        taken.push(later);
    }
    found
}

fn node_publications(cluster: &Cluster, node: usize) -> Vec<Publication> {
    let everywhere = if cluster.networking.ip_family.has_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let mappings = cluster.nodes[node].extra_port_mappings.iter().enumerate();
    mappings
        .filter_map(|(index, mapping)| {
            Some(Publication {
                node: Some(node),
                field: format!("nodes[{node}].extraPortMappings[{index}]"),
                container: mapping.container_port,
                wanted: Wanted::of(mapping, everywhere).ok()??,
            })
        })
        .collect()
}

/// The API server's fixed port: that of the load balancer, or of the only control plane.
fn api_server(cluster: &Cluster) -> Option<Publication> {
    let networking = &cluster.networking;
    let mapping = PortMapping {
        container_port: i32::from(API_SERVER_PORT),
        host_port: networking.api_server_port,
        listen_address: networking.api_server_address.clone(),
        protocol: Protocol::Tcp,
    };
    let mut nodes = cluster.nodes.iter();
    let only = nodes.position(|node| node.role == Role::ControlPlane);
    Some(Publication {
        node: only.filter(|_| cluster.load_balancer().is_none()),
        field: API_SERVER_FIELD.to_owned(),
        container: mapping.container_port,
        wanted: Wanted::of(&mapping, Ipv4Addr::LOCALHOST.into()).ok()??,
    })
}

impl Publication {
    /// Mappings of one node are compared where the node is checked.
    fn collides(&self, other: &Self) -> bool {
        let are_mappings = !self.is_api_server() && !other.is_api_server();
        let checked = are_mappings && self.node == other.node;
        !checked && self.wanted.conflicts(&other.wanted)
    }

    fn is_api_server(&self) -> bool {
        self.field == API_SERVER_FIELD
    }
}

impl Collision {
    /// Engines take the very same mapping twice for one.
    fn is_hard(&self) -> bool {
        let (one, other) = (&self.earlier, &self.later);
        let is_same = one.node == other.node
            && one.container == other.container
            && one.wanted.address == other.wanted.address;
        one.wanted.excludes(&other.wanted) && !is_same
    }
}

impl std::fmt::Display for Collision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (earlier, later) = (&self.earlier, &self.later);
        write!(
            f,
            "{} and {} want the same port of the host: {} and {}",
            earlier.field, later.field, earlier.wanted, later.wanted
        )
    }
}
