//! Published ports.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::model::{PortMapping, Protocol};

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
        let wanted = Wanted::of(mapping, Ipv4Addr::UNSPECIFIED.into());
        if let Some(wanted) = wanted.map_err(|problem| (index, problem))? {
            taken.add(wanted).map_err(|problem| (index, problem))?;
        }
    }
    Ok(())
}

/// A fixed port of the host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) protocol: Protocol,
}

impl Wanted {
    /// `None` if the port is chosen later. A mapping without an address is for `everywhere`; one that is none must not
    /// become that, whatever its port.
    pub(super) fn of(mapping: &PortMapping, everywhere: IpAddr) -> Result<Option<Self>, String> {
        let address = match mapping.listen_address.as_str() {
            "" => everywhere,
            text => text
                .parse()
                .map_err(|_| format!("invalid listen address: {text}"))?,
        };
        let Ok(port @ 1..) = u16::try_from(mapping.host_port) else {
            return Ok(None);
        };
        Ok(Some(Self {
            address,
            port,
            protocol: mapping.protocol,
        }))
    }

    /// Whether kind takes them for one: an address that stands for all stands for those of both families.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.address == other.address
                || self.address.is_unspecified()
                || other.address.is_unspecified())
    }

    /// Whether no engine can give away both: a TCP socket of the one keeps out that of the other.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        self.protocol == Protocol::Tcp
            && self.address.is_ipv4() == other.address.is_ipv4()
            && self.conflicts(other)
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
