//! Networks of native nodes: a bridge with a fixed subnet, a wall around it, masquerading for what leaves it, and room in
//! the host's firewall.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use ipnet::{IpNet, Ipv6Net};
use kind_net::netlink::Netlink;
use kind_net::{admission, forwarding, nft, pool, sysctl, wall};

use super::record::{NetworkRecord, NodeRecord, VERSION};
use super::state::{Lock, State};
use crate::{Code, Error, ProxyAddress};

/// Name of the node's own link.
pub(super) const NODE_LINK: &str = "eth0";
/// Variables that lead a node's programs to a proxy; others have another spelling of one of them.
const PROXIES: [&str; 2] = ["HTTP_PROXY", "HTTPS_PROXY"];

/// The record of a network, made now with its bridge if there is none. Its subnet overlaps nothing on the host.
pub(super) fn ensure_network(
    state: &State,
    name: &str,
    _lock: &Lock,
) -> Result<NetworkRecord, Error> {
    if let Some(record) = NetworkRecord::load(state, name)? {
        return Ok(record);
    }
    let others = NetworkRecord::load_all(state)?;
    let mut taken = in_use_on_host()?;
    taken.extend(others.iter().flat_map(NetworkRecord::subnets));
    let record = NetworkRecord {
        version: VERSION,
        name: name.to_owned(),
        bridge: bridge_name(state, name),
        ipv4: pool::free_subnet(&taken)?,
        ipv6: free_ipv6_subnet(name, &taken),
    };
    record.save(state)?;
    reserve_subnets(&record)?;
    Ok(record)
}

/// Shows others on this host which addresses are taken, for example a `kind` with another state directory that looks for
/// free ones at the same time: nodes start much later.
fn reserve_subnets(network: &NetworkRecord) -> Result<u32, Error> {
    let mut netlink = Netlink::open()?;
    let bridge = netlink.bridge(&network.bridge)?;
    for gateway in gateways(network) {
        netlink.add_address(bridge, gateway)?;
    }
    Ok(bridge)
}

/// The host's own addresses in a network.
fn gateways(network: &NetworkRecord) -> Vec<IpNet> {
    let subnets = network.subnets().into_iter();
    let gateway = |subnet: IpNet| {
        IpNet::new(pool::gateway(subnet), subnet.prefix_len())
            .expect("the prefix length comes from a subnet of the same family")
    };
    subnets.map(gateway).collect()
}

/// Subnets of the host's addresses and routes.
fn in_use_on_host() -> Result<Vec<IpNet>, Error> {
    in_use_beside(&[])
}

/// Subnets of the host's addresses, but for some, and of its routes.
fn in_use_beside(own: &[IpNet]) -> Result<Vec<IpNet>, Error> {
    let mut netlink = Netlink::open()?;
    let mut taken = netlink.addresses()?;
    taken.retain(|address| !own.contains(address));
    taken.extend(netlink.routes()?.into_iter().map(|route| route.to));
    Ok(taken.iter().map(IpNet::trunc).collect())
}

/// The subnet that kind gives a network of that name, on hosts with IPv6.
fn free_ipv6_subnet(name: &str, taken: &[IpNet]) -> Option<Ipv6Net> {
    if !Path::new("/proc/sys/net/ipv6").exists() {
        return None;
    }
    (0..5)
        .map(|attempt| pool::unique_local_subnet(name, attempt))
        .find(|subnet| {
            !taken
                .iter()
                .any(|other| pool::overlap(&IpNet::V6(*subnet), other))
        })
}

/// The name of a network's bridge: never that of another state directory's, whatever the network's name.
fn bridge_name(state: &State, network: &str) -> String {
    format!("br-{:012x}", state.hash(network))
}

/// The name of the host's end of a node's link.
pub(super) fn link_name(state: &State, node: &str) -> String {
    format!("kn-{:012x}", state.hash(node))
}

/// The addresses of the next node of a network.
pub(super) fn allocate_addresses(
    state: &State,
    network: &NetworkRecord,
    _lock: &Lock,
) -> Result<(Ipv4Addr, Option<Ipv6Addr>), Error> {
    let nodes = NodeRecord::load_all(state)?;
    let taken: BTreeSet<IpAddr> = nodes
        .iter()
        .filter(|node| node.network == network.name)
        .flat_map(NodeRecord::addresses)
        .collect();
    let v4 = pool::free_address(network.ipv4, &taken)?;
    let v6 = network
        .ipv6
        .map(|subnet| pool::matching_address(subnet, network.ipv4, v4));
    Ok((v4, v6))
}

/// Makes the bridge and the ruleset of a network; both may exist already.
pub(super) fn bring_up_network(
    state: &State,
    network: &NetworkRecord,
    ipv6_forwarding: bool,
    _lock: &Lock,
) -> Result<u32, Error> {
    let mut netlink = Netlink::open()?;
    if !netlink.is_up(&network.bridge)? {
        still_free(network)?;
    }
    let bridge = reserve_subnets(network)?;
    if let Some(mtu) = netlink.outward_mtu()? {
        netlink.set_mtu(bridge, mtu)?;
    }
    distrust_link(&network.bridge)?;
    netlink.up(bridge)?;
    let mut ruleset = wall::network_ruleset(&network.bridge, &network.subnets());
    forwarding::respect_router(&mut ruleset);
    nft::apply(&ruleset)?;
    admission::grant(&network.bridge, &proxies_of_nodes(state, network)?)?;
    forwarding::turn_on_forwarding(ipv6_forwarding)?;
    Ok(bridge)
}

/// Proxies on the host's own addresses in a network, as its nodes' variables name them.
fn proxies_of_nodes(state: &State, network: &NetworkRecord) -> Result<BTreeSet<SocketAddr>, Error> {
    let gateways: Vec<_> = network.subnets().into_iter().map(pool::gateway).collect();
    let nodes = NodeRecord::load_all(state)?;
    let own = nodes.iter().filter(|node| node.network == network.name);
    let proxies = own.flat_map(|node| proxies_at(&gateways, &node.env));
    Ok(proxies.collect())
}

/// Proxies among variables that are at one of these addresses.
fn proxies_at(
    addresses: &[IpAddr],
    variables: &BTreeMap<String, String>,
) -> impl Iterator<Item = SocketAddr> {
    let values = PROXIES.iter().filter_map(|name| variables.get(*name));
    values
        .filter_map(|value| ProxyAddress::parse(value).ok()?.socket())
        .filter(|proxy| addresses.contains(&proxy.ip()))
}

/// The host may have got a route since the network was recorded, for example of a VPN: its addresses
/// would lead there instead of to the nodes, or the other way round.
fn still_free(network: &NetworkRecord) -> Result<(), Error> {
    let taken = in_use_beside(&gateways(network))?;
    for subnet in network.subnets() {
        if let Some(other) = taken.iter().find(|other| pool::overlap(&subnet, other)) {
            return Err(Error::other(
                Code::SubnetRouted,
                format!(
                    "network {} has the addresses {subnet}, and this host routes {other} elsewhere now",
                    network.name
                ),
                "remove that route, or delete the clusters of this network and create them again",
            ));
        }
    }
    Ok(())
}

/// What would keep nodes from being started: networks that are down and whose addresses others have by now, or no
/// addresses for the first network.
pub(super) fn find_problems(state: &State) -> Vec<Error> {
    let networks = match NetworkRecord::load_all(state) {
        Ok(networks) => networks,
        Err(error) => return vec![error],
    };
    if networks.is_empty() {
        let free = in_use_on_host().and_then(|taken| Ok(pool::free_subnet(&taken)?));
        return free.err().into_iter().collect();
    }
    let check = |network: &NetworkRecord| {
        if Netlink::open()?.is_up(&network.bridge)? {
            return Ok(());
        }
        still_free(network)
    };
    networks
        .iter()
        .filter_map(|network| check(network).err())
        .collect()
}

/// Nobody on a link of nodes tells the host its routes.
pub(super) fn distrust_link(link: &str) -> Result<(), Error> {
    sysctl::distrust_link(link).map_err(Error::io(format!("set what link {link} believes")))
}

/// Removes networks that no node is on, with their bridges and rulesets. Goes on after failures.
pub(super) fn remove_unused(state: &State, lock: &Lock) -> Vec<Error> {
    match find_unused(state, lock) {
        Ok(unused) => unused
            .iter()
            .filter_map(|network| remove_network(state, network).err())
            .collect(),
        Err(error) => vec![error],
    }
}

/// Networks that no node is on.
pub(super) fn find_unused(state: &State, _lock: &Lock) -> Result<Vec<NetworkRecord>, Error> {
    let nodes = NodeRecord::load_all(state)?;
    let used: BTreeSet<String> = nodes.into_iter().map(|node| node.network).collect();
    let mut networks = NetworkRecord::load_all(state)?;
    networks.retain(|network| !used.contains(&network.name));
    Ok(networks)
}

/// Removes a network with its bridge and ruleset.
pub(super) fn remove_network(state: &State, network: &NetworkRecord) -> Result<(), Error> {
    nft::apply(&nft::removal(&network.bridge))?;
    admission::revoke(&network.bridge)?;
    Netlink::open()?.delete_link(&network.bridge)?;
    forwarding::hand_back_forwarding()?;
    let _ = fs::remove_file(NetworkRecord::hosts_path(state, &network.name));
    let path = NetworkRecord::path(state, &network.name);
    fs::remove_file(&path).map_err(Error::io(format!("remove {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxies_on_the_hosts_own_addresses_are_let_through() {
        let gateways: [IpAddr; 2] = ["172.18.0.1", "fc00::1"].map(|text| text.parse().unwrap());
        let found = |http: &str, https: &str| -> Vec<String> {
            let variables = [
                ("HTTP_PROXY", http),
                ("HTTPS_PROXY", https),
                ("PATH", "/bin"),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let variables = variables.into();
            let proxies = proxies_at(&gateways, &variables);
            proxies.map(|proxy| proxy.to_string()).collect()
        };
        assert_eq!(
            found("http://a:b@172.18.0.1:3128/", "http://[fc00::1]:8080"),
            ["172.18.0.1:3128", "[fc00::1]:8080"]
        );
        for elsewhere in ["http://192.0.2.1:3128", "http://proxy:3128", "no proxy", ""] {
            assert!(found(elsewhere, elsewhere).is_empty(), "{elsewhere}");
        }
    }
}
