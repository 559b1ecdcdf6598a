//! Addresses of the host and of the node itself.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a name service may take to tell what only it knows.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// An engine that knows the name of its host answers by itself, at once. Where none does, the question goes
/// out to the world, and where that is out of reach the node would wait for nothing.
const HOST_LOOKUP_TIMEOUT: Duration = Duration::from_millis(150);

/// The host as the node's network sees it: by the name that engines in a virtual machine give it,
/// or else as the default gateway, which serves as well.
pub(super) fn host_address() -> Option<Ipv4Addr> {
    let named = look_up("host.docker.internal", HOST_LOOKUP_TIMEOUT);
    let named = named.into_iter().find_map(as_ipv4);
    named.filter(|address| !address.is_loopback()).or_else(|| {
        let table = fs::read_to_string("/proc/net/route").ok()?;
        default_gateway(&table)
    })
}

/// The node's own addresses of each family, by its host name.
pub(super) fn own_addresses() -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let written = written_addresses(&hosts, &name);
    let (ipv4, ipv6) = (
        first_of_family(&written, as_ipv4),
        first_of_family(&written, as_ipv6),
    );
    // The name service is asked only for what the node can have: an answer may take seconds.
    if ipv4.is_some() && (ipv6.is_some() || !has_global_ipv6()) {
        return (ipv4, ipv6);
    }
    let found = look_up(&name, LOOKUP_TIMEOUT);
    (
        ipv4.or_else(|| first_of_family(&found, as_ipv4)),
        ipv6.or_else(|| first_of_family(&found, as_ipv6)),
    )
}

/// Asks the system's resolver, for a limited time.
fn look_up(name: &str, limit: Duration) -> Vec<IpAddr> {
    let (sender, receiver) = mpsc::channel();
    let name = name.to_owned();
    // The thread is left to itself when it takes too long.
    thread::spawn(move || {
        let found = (name.as_str(), 0).to_socket_addrs();
        let found = found.map(|found| found.map(|socket| socket.ip()).collect());
        sender.send(found.unwrap_or_default())
    });
    receiver.recv_timeout(limit).unwrap_or_default()
}

/// The addresses that a hosts file gives a name.
fn written_addresses(hosts: &str, name: &str) -> Vec<IpAddr> {
    hosts
        .lines()
        .filter_map(|line| {
            let line = line.split('#').next()?;
            let mut words = line.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words.any(|word| word == name).then_some(address)
        })
        .collect()
}

/// The first default gateway in the text of `/proc/net/route`.
fn default_gateway(table: &str) -> Option<Ipv4Addr> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (to, via, mask) = (fields.get(1)?, fields.get(2)?, fields.get(7)?);
        let gateway = u32::from_str_radix(via, 16).ok()?;
        let default = *to == "00000000" && *mask == "00000000" && gateway != 0;
        // The kernel prints the bytes as a number of the machine's own order.
        default.then(|| Ipv4Addr::from(gateway.to_ne_bytes()))
    })
}

/// Tells whether an address of global scope is set in the text of `/proc/net/if_inet6`.
fn has_global_ipv6() -> bool {
    fs::read_to_string("/proc/net/if_inet6").is_ok_and(|table| names_global(&table))
}

fn names_global(table: &str) -> bool {
    table
        .lines()
        .any(|line| line.split_whitespace().nth(3) == Some("00"))
}

fn first_of_family<T>(addresses: &[IpAddr], family: fn(IpAddr) -> Option<T>) -> Option<T> {
    addresses.iter().copied().find_map(family)
}

fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

fn as_ipv6(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_files_are_read_by_name() {
        let hosts = "127.0.0.1 localhost\n# 1.2.3.4 node\n172.18.0.2\tnode other # the node\n\
                     fc00::2 node\nbroken node\n172.18.0.3 nodes\n";
        let expected: Vec<IpAddr> = vec!["172.18.0.2".parse().unwrap(), "fc00::2".parse().unwrap()];
        assert_eq!(written_addresses(hosts, "node"), expected);
        assert!(written_addresses(hosts, "missing").is_empty());
    }

    #[test]
    fn the_default_gateway_is_found_in_the_kernels_table() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
                     eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
        let gateway = Ipv4Addr::from(0x0100_12AC_u32.to_ne_bytes());
        assert_eq!(default_gateway(table), Some(gateway));
        assert_eq!(default_gateway("Iface\n"), None);
        assert_eq!(default_gateway(""), None);
    }

    #[test]
    fn link_local_addresses_are_not_global() {
        let lo = "00000000000000000000000000000001 01 80 10 80       lo\n";
        let local = "fe800000000000000042acfffe120002 02 40 20 80     eth0\n";
        let global = "fc00f853000000000000000000000002 02 40 00 02     eth0\n";
        assert!(!names_global(&format!("{lo}{local}")));
        assert!(names_global(&format!("{lo}{local}{global}")));
    }
}
