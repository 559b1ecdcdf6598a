//! Published ports: choosing free ones, and telling who has one that is not free.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use super::record::NodeRecord;
use crate::{Code, Error, Port, Protocol};

/// A listening socket on the host.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

/// The ports with real numbers: 0 becomes a free port that the node keeps for life.
///
/// Also checks that every port is free now, and no other node's, running or not.
pub(super) fn choose_ports(wanted: &[Port], nodes: &[NodeRecord]) -> Result<Vec<Port>, Error> {
    let mut held = Vec::new();
    let mut chosen = Vec::new();
    for port in wanted {
        if let Some(node) = nodes
            .iter()
            .find(|node| node.host.ports.iter().any(|other| port_clash(port, other)))
        {
            return Err(taken_port(port, &Owner::Node(node.name.clone())));
        }
        let listener = listen_beside(port, &chosen)?;
        let number = match &listener {
            Listener::Tcp(socket) => socket.local_addr(),
            Listener::Udp(socket) => socket.local_addr(),
        };
        let number = number
            .map_err(Error::io("read the number of a port"))?
            .port();
        chosen.push(Port {
            host: number,
            ..port.clone()
        });
        // All stay bound until the last is chosen, so that none is chosen twice.
        held.push(listener);
    }
    Ok(chosen)
}

/// Whether ports of one configuration can be listened on together, whatever else listens on the host.
///
/// # Errors
/// Two of them are one.
pub(super) fn check_together(ports: &[Port]) -> Result<(), Error> {
    for (index, port) in ports.iter().enumerate() {
        if ports[..index].iter().any(|other| port_clash(port, other)) {
            return Err(taken_port(port, &Owner::Configuration));
        }
    }
    Ok(())
}

fn port_clash(one: &Port, other: &Port) -> bool {
    one.host != 0
        && one.host == other.host
        && one.protocol == other.protocol
        && (one.listen == other.listen
            || stands_for(one.listen, other.listen)
            || stands_for(other.listen, one.listen))
}

/// Whether what listens on an address is reached at the other one too. Sockets of all IPv6 addresses are those of all
/// IPv4 addresses as well.
fn stands_for(all: IpAddr, one: IpAddr) -> bool {
    all.is_unspecified() && (all.is_ipv6() || one.is_ipv4())
}

/// Listens on a port of the host; the error names the program that has it.
pub(super) fn listen_on_port(port: &Port) -> Result<Listener, Error> {
    listen_beside(port, &[])
}

/// The same while this process holds other ports of the configuration.
fn listen_beside(port: &Port, chosen: &[Port]) -> Result<Listener, Error> {
    let address = SocketAddr::new(port.listen, port.host);
    let result = match port.protocol {
        Protocol::Tcp => TcpListener::bind(address).map(Listener::Tcp),
        Protocol::Udp => UdpSocket::bind(address).map(Listener::Udp),
        Protocol::Sctp => {
            return Err(Error::other(
                Code::PortSctp,
                format!(
                    "port {} cannot be published: the native engine has no SCTP",
                    port.container
                ),
                "publish TCP or UDP ports, or use docker",
            ));
        }
    };
    result.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => taken_port(port, &port_owner(port, chosen)),
        io::ErrorKind::AddrNotAvailable => Error::other(
            Code::PortAddress,
            format!("address {} is not one of this host", port.listen),
            "set `networking.apiServerAddress`, or the listenAddress of the port mapping, to an address of this host, or leave it out",
        ),
        _ => Error::io(format!("listen on {address}"))(error),
    })
}

/// Who has a port.
enum Owner {
    /// A node, running or not.
    Node(String),
    /// The configuration, whose ports this process holds once it has chosen them.
    Configuration,
    /// This process, for something of its own.
    Oneself,
    /// A program, for example `nginx (pid 12)`; nothing more is known without its name.
    Program(Option<String>),
}

fn taken_port(port: &Port, owner: &Owner) -> Error {
    let address = SocketAddr::new(port.listen, port.host);
    let (owner, remedy) = match owner {
        Owner::Node(node) => (
            format!("node {node}"),
            "delete that node's cluster, or choose another hostPort (or apiServerPort)",
        ),
        Owner::Configuration => (
            "another port of the same configuration".to_owned(),
            "choose another hostPort (or apiServerPort) for one of them",
        ),
        Owner::Oneself => (
            "the very program that makes the cluster".to_owned(),
            "choose another hostPort (or apiServerPort)",
        ),
        Owner::Program(name) => (
            name.clone().unwrap_or("another program".to_owned()),
            "end that program, or choose another hostPort (or apiServerPort)",
        ),
    };
    let text = format!("port {address} is in use by {owner}");
    Error::other(Code::PortTaken, text, remedy)
}

fn port_owner(port: &Port, chosen: &[Port]) -> Owner {
    let Some(process) = listening_process(port) else {
        return Owner::Program(None);
    };
    let pid = process.file_name().unwrap_or_default().to_string_lossy();
    if pid == std::process::id().to_string() {
        let is_chosen = chosen.iter().any(|other| port_clash(port, other));
        return if is_chosen {
            Owner::Configuration
        } else {
            Owner::Oneself
        };
    }
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    Owner::Program(Some(format!("{} (pid {pid})", name.trim())))
}

/// The process that listens on a port, as a directory of `/proc`.
fn listening_process(port: &Port) -> Option<PathBuf> {
    let protocol = match port.protocol {
        Protocol::Udp => "udp",
        // Nothing publishes SCTP: there is nobody to find.
        Protocol::Tcp | Protocol::Sctp => "tcp",
    };
    let tables = [protocol.to_owned(), format!("{protocol}6")];
    let inode = tables.iter().find_map(|table| {
        let text = fs::read_to_string(format!("/proc/net/{table}")).ok()?;
        listening_inode(&text, port.host)
    })?;
    let wanted = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    pids.map(|entry| entry.path())
        .find(|process| has_open(process, &wanted))
}

/// The inode of the listening (TCP) or bound (UDP) socket of a port in a table of `/proc/net`.
fn listening_inode(table: &str, port: u16) -> Option<String> {
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let open = matches!(*state, "0A" | "07");
        (local.ends_with(&suffix) && open).then(|| (*inode).to_owned())
    })
}

fn has_open(process: &Path, wanted: &str) -> bool {
    let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten();
    descriptors
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == wanted))
}

/// Where a forwarder connects to: the node itself, first at its address of the family that is listened on. What is
/// behind a port of a node may have the other family alone, as all has in a cluster of IPv6.
pub(super) fn target_addresses(node: &NodeRecord, port: &Port) -> Vec<SocketAddr> {
    let in_cluster = |address: &IpAddr| address.is_ipv4() || node.ipv6_forwarding;
    let mut addresses: Vec<_> = node.addresses().filter(in_cluster).collect();
    addresses.sort_by_key(|address| address.is_ipv4() != port.listen.is_ipv4());
    let to_port = |address| SocketAddr::new(address, port.container);
    addresses.into_iter().map(to_port).collect()
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::process::Command;

    use super::*;

    const LOCALHOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn free_ports_are_chosen_once() {
        let any = Port::new(LOCALHOST, 0, 6443, Protocol::Tcp);
        let chosen = choose_ports(&[any.clone(), any.clone(), any], &[]).unwrap();
        assert!(chosen.iter().all(|port| port.host != 0));
        assert_ne!(chosen[0].host, chosen[1].host);
        assert_ne!(chosen[1].host, chosen[2].host);
    }

    #[test]
    fn a_port_leads_to_the_family_that_it_is_published_for_first() {
        let record = serde_json::json!({
            "version": 1, "name": "a", "image": "b", "labels": {}, "created": 1, "layers": [], "argv": [], "env": {},
            "network": "kind", "ipv4": "10.0.0.2", "ipv6": "fd00::2", "ipv6_forwarding": true, "shared": [],
            "mounts": [], "ports": [], "resources": {},
        });
        let mut record: NodeRecord = serde_json::from_value(record).unwrap();
        let targets = |record: &NodeRecord, listen: &str| {
            let port = Port::new(listen.parse().unwrap(), 1, 80, Protocol::Tcp);
            let targets = target_addresses(record, &port);
            targets.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let (four, six) = ("10.0.0.2:80", "[fd00::2]:80");
        assert_eq!(targets(&record, "127.0.0.1"), [four, six]);
        assert_eq!(targets(&record, "::"), [six, four]);
        record.ipv6_forwarding = false;
        assert_eq!(targets(&record, "::"), [four], "in a cluster without IPv6");
    }

    #[test]
    fn the_owner_of_a_taken_port_is_named() {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let (listener, number) = held_port(protocol);
            let socket: OwnedFd = match listener {
                Listener::Tcp(socket) => socket.into(),
                Listener::Udp(socket) => socket.into(),
            };
            let mut holder = Command::new("sleep")
                .arg("60")
                .stdin(socket)
                .spawn()
                .unwrap();
            let error = listen_on_port(&Port::new(LOCALHOST, number, 1, protocol)).unwrap_err();
            holder.kill().unwrap();
            let pid = holder.id();
            holder.wait().unwrap();
            assert_eq!(error.code(), Code::PortTaken);
            let told = error.to_string();
            assert!(told.contains(&format!("sleep (pid {pid})")), "{told}");
        }
    }

    /// A listener on a free port, and its number.
    fn held_port(protocol: Protocol) -> (Listener, u16) {
        let listener = listen_on_port(&Port::new(LOCALHOST, 0, 1, protocol)).unwrap();
        let number = match &listener {
            Listener::Tcp(socket) => socket.local_addr().unwrap().port(),
            Listener::Udp(socket) => socket.local_addr().unwrap().port(),
        };
        (listener, number)
    }

    #[test]
    fn nobody_is_told_to_end_the_very_program_that_tells() {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let (_held, number) = held_port(protocol);
            let error = listen_on_port(&Port::new(LOCALHOST, number, 1, protocol)).unwrap_err();
            assert_eq!(error.code(), Code::PortTaken);
            let told = format!("{error:?} {error}");
            assert!(
                told.contains("in use by the very program that makes the cluster"),
                "{told}"
            );
            assert!(!told.contains("(pid "), "{told}");
            assert!(!told.contains("end that program"), "{told}");
        }
    }

    #[test]
    fn two_ports_of_one_configuration_are_told_as_that() {
        let (held, number) = held_port(Protocol::Tcp);
        drop(held);
        let port = Port::new(LOCALHOST, number, 1, Protocol::Tcp);
        let error = choose_ports(&[port.clone(), port], &[]).unwrap_err();
        assert_eq!(error.code(), Code::PortTaken);
        let told = error.to_string();
        assert!(
            told.ends_with("in use by another port of the same configuration"),
            "{told}"
        );
    }

    #[test]
    fn one_port_of_both_families_is_told_before_anything_listens() {
        let check = |one: &str, other: &str| {
            let port = |listen: &str| Port::new(listen.parse().unwrap(), 8080, 80, Protocol::Tcp);
            check_together(&[port(one), port(other)])
        };
        for (one, other) in [("::", "0.0.0.0"), ("0.0.0.0", "::"), ("127.0.0.1", "::")] {
            let error = check(one, other).unwrap_err();
            assert_eq!(error.code(), Code::PortTaken);
            let told = error.to_string();
            assert!(
                told.ends_with("another port of the same configuration"),
                "{told}"
            );
        }
        check("0.0.0.0", "::1").unwrap();
        check("127.0.0.1", "127.0.0.2").unwrap();
        let any = Port::new("::".parse().unwrap(), 0, 80, Protocol::Tcp);
        check_together(&[any.clone(), any]).unwrap();
    }

    #[test]
    fn an_address_of_another_host_is_named() {
        let error = listen_on_port(&Port::new(
            "192.0.2.77".parse().unwrap(),
            0,
            1,
            Protocol::Tcp,
        ))
        .unwrap_err();
        assert_eq!(error.code(), Code::PortAddress);
    }
}
