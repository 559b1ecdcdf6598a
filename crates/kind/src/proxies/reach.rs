//! Proxies on the host itself: its own loopback addresses are in every node the node's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use kind_engine::{Info, Network, ProxyAddress, own_hostname};

use super::variables::{EVERY, SINGLE, find_variable};

/// Sockets that listen for TCP connections, as the kernel tells them.
const SOCKETS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Where nodes reach the host.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// The host's address in the nodes' network; `None` where that is not this host's.
    pub(super) host: Option<IpAddr>,
    /// Ports at which something listens on that address.
    pub(super) ports: Vec<u16>,
}

impl Reach {
    /// Looks at this host. An engine without root, or on another machine, has another network.
    pub(super) fn of_host(network: &Network, info: &Info) -> Self {
        if info.rootless || !info.is_on(&own_hostname()) {
            return Self::default();
        }
        let Some(host) = first_address(network) else {
            return Self::default();
        };
        let tables = SOCKETS.map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let ports = tables.iter().flat_map(|table| open_ports(table, host));
        Self {
            host: Some(host),
            ports: ports.collect(),
        }
    }
}

/// The address that a host has in a network of containers.
fn first_address(network: &Network) -> Option<IpAddr> {
    let subnets = network.subnets.iter();
    let mut subnets = subnets.filter_map(|subnet| subnet.parse::<IpNet>().ok());
    subnets
        .find(|subnet| subnet.addr().is_ipv4())?
        .hosts()
        .next()
}

/// Ports of sockets that listen at an address or at all, out of `/proc/net/tcp`: words of 32 bits in the machine's own
/// order of bytes.
pub(crate) fn open_ports(table: &str, host: IpAddr) -> Vec<u16> {
    const LISTEN: &str = "0A";
    let own = match host {
        IpAddr::V4(v4) => format!("{:08X}", u32::from_ne_bytes(v4.octets())),
        IpAddr::V6(_) => String::new(),
    };
    let port = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (address, port) = words.get(1)?.split_once(':')?;
        let is_open = address == own || address.bytes().all(|byte| byte == b'0');
        let listens = words.get(3) == Some(&LISTEN);
        u16::from_str_radix(port, 16)
            .ok()
            .filter(|_| is_open && listens)
    };
    table.lines().skip(1).filter_map(port).collect()
}

/// Names the host's address in the nodes' network instead of its loopback addresses, where nodes reach it. Returns the
/// environment and what the user should know, as sentences.
pub(super) fn point_at_host(
    environment: &BTreeMap<String, String>,
    reach: &Reach,
) -> (BTreeMap<String, String>, Vec<String>) {
    let mut changed = environment.clone();
    let mut told = Vec::new();
    for name in SINGLE.into_iter().chain([EVERY]) {
        let Some(value) = find_variable(environment, name) else {
            continue;
        };
        let (given, text) = judge_proxy(name, value, reach);
        if name == EVERY && (given.is_some() || text.is_none()) {
            let value = given.as_ref().unwrap_or(value);
            stand_in(&mut changed, value);
        }
        told.extend(text.filter(|text| !told.contains(text)));
        if let Some(given) = given {
            changed.insert(name.to_owned(), given);
        }
    }
    (changed, told)
}

/// Has a proxy for all protocols stand for those that have none: programs in nodes do not know `ALL_PROXY`. One that
/// nodes do not reach stays where nobody looks.
fn stand_in(environment: &mut BTreeMap<String, String>, every: &str) {
    for name in SINGLE {
        if find_variable(environment, name).is_none() {
            environment.insert(name.to_owned(), every.to_owned());
        }
    }
}

/// Another value for a variable, and what is to be said of it.
fn judge_proxy(name: &str, value: &str, reach: &Reach) -> (Option<String>, Option<String>) {
    let address = match ProxyAddress::parse(value) {
        Ok(address) if address.is_loopback() => address,
        Ok(_) => return (None, None),
        Err(why) => {
            let text =
                format!("{name} is no address of a proxy: {why}; nodes are given it as it is");
            return (None, Some(text));
        }
    };
    let place = address.place();
    match reach.host.filter(|_| reach.ports.contains(&address.port())) {
        Some(host) => {
            let value = address.at_host(host);
            let given = ProxyAddress::parse(&value).map(|given| given.place());
            let given = given.unwrap_or_default();
            let text = format!("{name} names {place} of this host; nodes are given {given} for it");
            (Some(value), Some(text))
        }
        None => {
            let remedy = match reach.host {
                Some(host) => format!("have the proxy listen on {host} or 0.0.0.0 too"),
                None => "name an address of this host that nodes reach".to_owned(),
            };
            let text =
                format!("{name} names {place}, which in a node is the node itself; {remedy}");
            (None, Some(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = variables.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn reach(ports: &[u16]) -> Reach {
        Reach {
            host: Some([172, 18, 0, 1].into()),
            ports: ports.to_vec(),
        }
    }

    #[test]
    fn a_loopback_proxy_is_pointed_at_the_host_where_that_reaches_it() {
        for value in [
            "http://127.0.0.1:3128",
            "http://localhost:3128",
            "http://[::1]:3128",
        ] {
            let variables = pairs(&[("https_proxy", value), ("HTTP_PROXY", "http://far:1")]);
            let (changed, told) = point_at_host(&variables, &reach(&[22, 3128]));
            assert_eq!(changed["HTTPS_PROXY"], "http://172.18.0.1:3128");
            assert_eq!(changed["HTTP_PROXY"], "http://far:1");
            assert_eq!(told.len(), 1);
            assert!(
                told[0].ends_with("nodes are given 172.18.0.1:3128 for it"),
                "{told:?}"
            );
        }
    }

    #[test]
    fn a_loopback_proxy_that_nodes_do_not_reach_is_told() {
        let variables = pairs(&[("HTTP_PROXY", "http://me:secret@127.0.0.1:3128")]);
        let (changed, told) = point_at_host(&variables, &reach(&[22]));
        assert_eq!(changed, variables);
        let expected = "HTTP_PROXY names 127.0.0.1:3128, which in a node is the node itself; have the proxy listen on \
                        172.18.0.1 or 0.0.0.0 too";
        assert_eq!(told, [expected]);
        let (_, told) = point_at_host(&variables, &Reach::default());
        assert!(
            told[0].ends_with("name an address of this host that nodes reach"),
            "{told:?}"
        );
    }

    #[test]
    fn a_proxy_for_all_protocols_stands_for_each_where_nodes_reach_it() {
        let changed = |variables: &[(&str, &str)]| {
            let (changed, _) = point_at_host(&pairs(variables), &reach(&[3128]));
            SINGLE.map(|name| find_variable(&changed, name).cloned().unwrap_or_default())
        };
        let far = ("all_proxy", "http://far:1");
        assert_eq!(changed(&[far]), ["http://far:1", "http://far:1"]);
        let own = ("HTTP_PROXY", "http://own:1");
        assert_eq!(changed(&[far, own]), ["http://own:1", "http://far:1"]);
        let near = "http://172.18.0.1:3128";
        assert_eq!(
            changed(&[("ALL_PROXY", "http://localhost:3128")]),
            [near, near]
        );
        for out_of_reach in ["socks5://127.0.0.1:1080", "socks4://far:1"] {
            assert_eq!(changed(&[("ALL_PROXY", out_of_reach)]), ["", ""]);
        }
    }

    #[test]
    fn nonsense_in_a_proxy_variable_is_told() {
        let variables = pairs(&[("ALL_PROXY", "no proxy"), ("NO_PROXY", "127.0.0.1, a b")]);
        let (changed, told) = point_at_host(&variables, &reach(&[]));
        assert_eq!(changed, variables);
        assert!(
            told[0].starts_with("ALL_PROXY is no address of a proxy: "),
            "{told:?}"
        );
        assert_eq!(told.len(), 1);
    }

    #[test]
    fn ports_that_nodes_reach_are_read_from_the_kernels_table() {
        let hex = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let line = |address: &str, port: u16, state: &str| {
            format!("   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000\n")
        };
        let table = [
            "  sl  local_address rem_address   st tx_queue rx_queue\n".to_owned(),
            line("00000000", 3128, "0A"),
            line(&hex([127, 0, 0, 1]), 3129, "0A"),
            line(&hex([172, 18, 0, 1]), 3130, "0A"),
            line("00000000", 3131, "01"),
            line(&"0".repeat(32), 3132, "0A"),
            "broken\n".to_owned(),
        ];
        let ports = open_ports(&table.concat(), [172, 18, 0, 1].into());
        assert_eq!(ports, [3128, 3130, 3132]);
    }

    #[test]
    fn the_host_has_the_first_address_of_a_network() {
        let network = |subnets: &[&str]| Network {
            name: "kind".to_owned(),
            subnets: subnets.iter().map(|subnet| (*subnet).to_owned()).collect(),
            lasting_addresses: true,
            warnings: Vec::new(),
        };
        let first = first_address(&network(&["fc00::/64", "172.18.0.0/16"]));
        assert_eq!(first, Some([172, 18, 0, 1].into()));
        assert_eq!(first_address(&network(&[])), None);
    }
}
