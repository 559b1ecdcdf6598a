//! What engines tell about a network.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::settings::Settings;
use crate::command_line::Flavor;
use crate::{Code, Error, Network};

/// A network with what is known of its addresses.
#[derive(Debug, Clone)]
pub(in crate::command_line) struct InspectedNetwork {
    pub(in crate::command_line) network: Network,
    pub(in crate::command_line) subnets: Subnets,
    pub(in crate::command_line) settings: Settings,
}

/// The subnets of a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::command_line) struct Subnets {
    pub(in crate::command_line) v4: Option<Ipv4Net>,
    pub(in crate::command_line) v6: Option<Ipv6Net>,
    /// The part from which the engine takes addresses itself; the rest is free for lasting ones.
    pub(in crate::command_line) range: Option<Ipv4Net>,
}

/// Reads the answer of `network inspect`; `None` if it tells of no network of that name.
///
/// # Errors
/// If it is not what engines say.
pub(in crate::command_line) fn read(
    flavor: Flavor,
    name: &str,
    text: &str,
) -> Result<Option<InspectedNetwork>, Error> {
    let answer: Value = serde_json::from_str(text).map_err(|error| unreadable(flavor, &error))?;
    let Some(networks) = answer.as_array() else {
        return Err(unreadable(flavor, "it is no list of networks"));
    };
    let network = networks
        .iter()
        .find(|network| ["Name", "name"].iter().any(|key| network[key] == name));
    Ok(network.map(|network| inspected_network(flavor, name, network)))
}

/// An answer that says nothing of a network.
pub(super) fn unreadable(flavor: Flavor, why: impl std::fmt::Display) -> Error {
    let engine = flavor.name();
    Error::other(
        Code::Answer,
        format!("{engine} tells of a network what cannot be read: {why}"),
        format!("see what `{engine} network inspect` prints"),
    )
}

fn inspected_network(flavor: Flavor, name: &str, network: &Value) -> InspectedNetwork {
    let mut subnets = Subnets::default();
    let mut names = Vec::new();
    let mut chosen = false;
    for (subnet, range, has_gateway) in subnet_parts(network) {
        names.push(subnet.to_owned());
        match subnet.parse() {
            Ok(IpNet::V4(subnet)) if subnets.v4.is_none() => {
                subnets.v4 = Some(subnet);
                subnets.range = read_range(range);
                // Docker tells a gateway that nobody asked for only of subnets that it chose itself.
                chosen = subnets.range.is_some() || !has_gateway;
            }
            Ok(IpNet::V6(subnet)) if subnets.v6.is_none() => subnets.v6 = Some(subnet),
            _ => {}
        }
    }
    let lasting_addresses = match flavor {
        Flavor::Docker => chosen,
        Flavor::Podman | Flavor::Nerdctl => subnets.v4.is_some() && flavor.gives_addresses(),
    };
    InspectedNetwork {
        network: Network {
            name: name.to_owned(),
            subnets: names,
            lasting_addresses,
            warnings: Vec::new(),
        },
        subnets,
        settings: Settings::read(network),
    }
}

/// Subnet, range and whether there is a gateway, in each form that engines have had.
fn subnet_parts(network: &Value) -> Vec<(&str, &Value, bool)> {
    let docker = array_items(&network["IPAM"]["Config"])
        .map(|part| (&part["Subnet"], &part["IPRange"], &part["Gateway"]));
    let podman = array_items(&network["subnets"])
        .map(|part| (&part["subnet"], &part["lease_range"], &part["gateway"]));
    // Podman before 4.0.
    let plugins = array_items(&network["plugins"]).flat_map(|plugin| {
        let ranges = array_items(&plugin["ipam"]["ranges"]).flat_map(array_items);
        ranges.map(|part| (&part["subnet"], &part["rangeStart"], &part["gateway"]))
    });
    let text = |value: &'_ Value| value.as_str().is_some_and(|text| !text.is_empty());
    docker
        .chain(podman)
        .chain(plugins)
        .filter_map(|(subnet, range, gateway)| Some((subnet.as_str()?, range, text(gateway))))
        .collect()
}

/// Docker tells a range as a subnet, podman by its first and its last address.
fn read_range(range: &Value) -> Option<Ipv4Net> {
    if let Some(range) = range.as_str() {
        return range.parse().ok();
    }
    let address = |key: &str| range[key].as_str()?.parse::<Ipv4Addr>().ok();
    let (first, last) = (
        u32::from(address("start_ip")?),
        u32::from(address("end_ip")?),
    );
    let differing = u32::BITS - (first ^ last).leading_zeros();
    let length = u8::try_from(u32::BITS - differing).ok()?;
    let subnet = Ipv4Net::new(last.into(), length).ok()?.trunc();
    (u32::from(subnet.broadcast()) == last).then_some(subnet)
}

fn array_items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
