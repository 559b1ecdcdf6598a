//! Published ports.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::model::{Cluster, PortMapping, Protocol};

/// Checks a port number; -1 leaves the choice to the engine.
pub(super) fn check_port(port: i32) -> Result<(), String> {
    if (-1..=65535).contains(&port) {
        Ok(())
    } else {
        Err(format!("invalid port number: {port}"))
    }
}

/// Checks that no two mappings of one node want the same port of the host. An error holds the index
/// of the mapping.
pub(super) fn check_mappings(mappings: &[PortMapping]) -> Result<(), (usize, String)> {
    let mut taken = Taken::default();
    for (index, mapping) in mappings.iter().enumerate() {
        if let Some(wanted) = Wanted::of(mapping).map_err(|problem| (index, problem))? {
            taken.add(wanted).map_err(|problem| (index, problem))?;
        }
    }
    Ok(())
}

/// Ports of the host that several nodes want: only one of them can have it.
pub(super) fn conflicts_between_nodes(cluster: &Cluster) -> Vec<String> {
    let mut taken: Vec<(String, Wanted)> = Vec::new();
    let mut warnings = Vec::new();
    for (name, node) in cluster.node_names().into_iter().zip(&cluster.nodes) {
        for mapping in &node.extra_port_mappings {
            let Ok(Some(wanted)) = Wanted::of(mapping) else {
                continue;
            };
            let other = taken
                .iter()
                .find(|(other, present)| *other != name && present.conflicts(&wanted));
            if let Some((other, _)) = other {
                warnings.push(format!(
                    "extraPortMappings: {other} and {name} both want {wanted} on the host"
                ));
            }
            taken.push((name.clone(), wanted));
        }
    }
    warnings
}

/// A fixed port of the host.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    address: IpAddr,
    port: u16,
    protocol: Protocol,
}

impl Wanted {
    /// `None` if the port is chosen later.
    fn of(mapping: &PortMapping) -> Result<Option<Self>, String> {
        let Ok(port @ 1..) = u16::try_from(mapping.host_port) else {
            return Ok(None);
        };
        let address = match mapping.listen_address.as_str() {
            "" => Ipv4Addr::UNSPECIFIED.into(),
            text => text
                .parse()
                .map_err(|_| format!("invalid listen address: {text}"))?,
        };
        Ok(Some(Self {
            address,
            port,
            protocol: mapping.protocol,
        }))
    }

    fn conflicts(&self, other: &Self) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.address == other.address
                || self.address.is_unspecified()
                || other.address.is_unspecified())
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = SocketAddr::new(self.address, self.port);
        write!(f, "{address}/{}", self.protocol.as_str())
    }
}

/// Ports of the host that are given away.
#[derive(Default)]
struct Taken(BTreeMap<(u16, Protocol), Vec<Wanted>>);

impl Taken {
    fn add(&mut self, wanted: Wanted) -> Result<(), String> {
        let present = self.0.entry((wanted.port, wanted.protocol)).or_default();
        if present.iter().any(|other| other.conflicts(&wanted)) {
            return Err(format!(
                "port mapping with same listen address, port and protocol already configured: {wanted}"
            ));
        }
        present.push(wanted);
        Ok(())
    }
}
