//! The nodes that an engine has: one call names them, one tells everything about all of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use serde_json::Value;

use super::Flavor;
use super::program::Program;
use crate::{CLUSTER_LABEL, Code, Error, Node, Port, Protocol, State};

/// Nodes of one cluster, or of all, newest first.
pub(super) fn list_nodes(
    flavor: Flavor,
    program: &Program,
    cluster: Option<&str>,
) -> Result<Vec<Node>, Error> {
    let label = match cluster {
        Some(cluster) => format!("label={CLUSTER_LABEL}={cluster}"),
        None => format!("label={CLUSTER_LABEL}"),
    };
    list_containers(flavor, program, &label)
}

/// Every container that passes a filter of `ps`, newest first.
pub(super) fn list_containers(
    flavor: Flavor,
    program: &Program,
    filter: &str,
) -> Result<Vec<Node>, Error> {
    let listed = program.command_output(&[
        "ps",
        "-a",
        "--no-trunc",
        "--filter",
        filter,
        "--format",
        "{{.ID}}",
    ])?;
    let ids: Vec<_> = listed.split_whitespace().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = inspected_containers(program, &ids)?;
    parse_nodes(flavor, &text)
}

/// The names of all containers on a network, a line each.
pub(super) fn container_names(program: &Program, network: &str) -> Result<String, Error> {
    let filter = format!("network={network}");
    program.command_output(&["ps", "-a", "--filter", &filter, "--format", "{{.Names}}"])
}

/// What `inspect` says of these containers. One that went away meanwhile is left out.
fn inspected_containers(program: &Program, ids: &[&str]) -> Result<String, Error> {
    let arguments = [&["inspect", "--type=container"], ids].concat();
    let output = program.run_command(&arguments)?;
    if output.status.success() || is_gone(&output.stderr) {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(program.failure(&arguments, &output))
}

/// Whether a program only complains about containers that are not there.
pub(super) fn is_gone(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr).to_lowercase();
    // Podman warns of an old host beside whatever it says.
    let mut lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.contains(" level=warning "))
        .peekable();
    lines.peek().is_some()
        && lines.all(|line| line.contains("no such container") || line.contains("no such object"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    #[serde(default)]
    name: String,
    config: Option<Config>,
    /// An id with docker, a name with nerdctl.
    image: Option<String>,
    /// Podman's word for the name.
    image_name: Option<String>,
    state: Option<ContainerState>,
    network_settings: Option<NetworkSettings>,
    host_config: Option<HostConfig>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    image: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    /// The command line that made the container, which only podman tells.
    create_command: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerState {
    status: Option<String>,
    exit_code: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    ports: Option<Value>,
    networks: Option<BTreeMap<String, Option<Endpoint>>>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "IPAddress")]
    ipv4: Option<String>,
    #[serde(rename = "GlobalIPv6Address")]
    ipv6: Option<String>,
    #[serde(rename = "IPAMConfig")]
    wanted: Option<Wanted>,
}

/// Addresses that were asked for when the container was made.
#[derive(Deserialize)]
struct Wanted {
    #[serde(rename = "IPv4Address")]
    ipv4: Option<String>,
    #[serde(rename = "IPv6Address")]
    ipv6: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    network_mode: Option<String>,
    port_bindings: Option<Value>,
}

/// Reads the answer of `inspect`.
///
/// # Errors
/// If it is not what engines say.
pub(super) fn parse_nodes(flavor: Flavor, text: &str) -> Result<Vec<Node>, Error> {
    let containers: Vec<Container> = serde_json::from_str(text).map_err(|error| {
        let message = format!(
            "{} tells of containers what cannot be read: {error}",
            flavor.name()
        );
        Error::other(Code::Answer, message, "")
    })?;
    Ok(containers
        .into_iter()
        .map(|container| node_of_container(flavor, container))
        .collect())
}

fn node_of_container(flavor: Flavor, container: Container) -> Node {
    let config = container.config.unwrap_or_default();
    let (image, labels) = (config.image, config.labels);
    let command = config.create_command.unwrap_or_default();
    let image = match flavor {
        Flavor::Docker => image,
        Flavor::Podman => container.image_name.or(image),
        Flavor::Nerdctl => image.filter(|image| !image.is_empty()).or(container.image),
    };
    let state = node_state(container.state);
    let network = container
        .host_config
        .as_ref()
        .and_then(|config| config.network_mode.clone());
    let bindings = container
        .host_config
        .and_then(|config| config.port_bindings);
    let (ports, networks) = container
        .network_settings
        .map_or((None, None), |settings| (settings.ports, settings.networks));
    let (ipv4, ipv6) = find_addresses(networks.unwrap_or_default(), network.as_deref());
    let published = ports.map(|ports| parse_ports(&ports)).unwrap_or_default();
    Node {
        name: container.name.trim_start_matches('/').to_owned(),
        labels: labels.unwrap_or_default(),
        image: image.unwrap_or_default(),
        state,
        // Podman keeps the addresses that it was asked for to itself until the node runs.
        ipv4: ipv4.or_else(|| asked_option(&command, "--ip")),
        ipv6: ipv6.or_else(|| asked_option(&command, "--ip6")),
        ports: if published.is_empty() {
            // A node that does not run publishes nothing; it will publish what was asked for.
            bindings
                .map(|bindings| parse_ports(&bindings))
                .unwrap_or_default()
        } else {
            published
        },
    }
}

fn node_state(doing: Option<ContainerState>) -> State {
    let Some(doing) = doing else {
        return State::Exited(None);
    };
    match doing.status.as_deref().unwrap_or_default() {
        "created" | "configured" | "initialized" => State::Created,
        "running" | "paused" | "restarting" | "stopping" => State::Running,
        _ => State::Exited(doing.exit_code),
    }
}

/// Addresses on the node's own network; others may have joined it to more.
fn find_addresses(
    mut networks: BTreeMap<String, Option<Endpoint>>,
    own: Option<&str>,
) -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
    let own = own.and_then(|name| networks.remove(name));
    let endpoint = match own {
        Some(endpoint) => endpoint,
        None => networks.into_values().next().flatten(),
    };
    let Some(endpoint) = endpoint else {
        return (None, None);
    };
    let wanted = endpoint.wanted.map(|wanted| (wanted.ipv4, wanted.ipv6));
    let (wanted4, wanted6) = wanted.unwrap_or_default();
    (
        parse_address(endpoint.ipv4).or_else(|| parse_address(wanted4)),
        parse_address(endpoint.ipv6).or_else(|| parse_address(wanted6)),
    )
}

/// The address that a command line asks for.
fn asked_option<T: std::str::FromStr>(command: &[String], option: &str) -> Option<T> {
    let mut words = command.iter();
    words.find(|word| *word == option)?;
    words.next()?.parse().ok()
}

fn parse_address<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
    text?.parse().ok()
}

/// Published ports: `{"6443/tcp": [{"HostIp": …, "HostPort": …}]}`, or the list of podman 1.9. What is
/// no port is left out: containers of others may publish whatever they like.
fn parse_ports(value: &Value) -> Vec<Port> {
    match value {
        Value::Object(ports) => {
            let pairs = ports.iter().flat_map(|(port, bindings)| {
                let bindings = bindings.as_array().into_iter().flatten();
                bindings.filter_map(|binding| bound_port(port, binding))
            });
            pairs.collect()
        }
        Value::Array(ports) => ports.iter().filter_map(old_port).collect(),
        _ => Vec::new(),
    }
}

fn bound_port(port: &str, binding: &Value) -> Option<Port> {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let host = binding["HostPort"].as_str().unwrap_or_default();
    let host = match host {
        "" => 0,
        number => number.parse().ok()?,
    };
    let listen = parse_listen_address(binding["HostIp"].as_str().unwrap_or_default())?;
    published_port(listen, host, number.parse().ok()?, protocol)
}

fn old_port(port: &Value) -> Option<Port> {
    let number = |key: &str| u16::try_from(port[key].as_u64()?).ok();
    let listen = parse_listen_address(port["hostIP"].as_str().unwrap_or_default())?;
    let protocol = port["protocol"].as_str().unwrap_or("tcp");
    published_port(
        listen,
        number("hostPort")?,
        number("containerPort")?,
        protocol,
    )
}

/// Podman leaves the address out where it means all of them; the host reaches that on its loopback.
fn parse_listen_address(address: &str) -> Option<IpAddr> {
    match address {
        "" => Some(Ipv4Addr::LOCALHOST.into()),
        address => address.parse().ok(),
    }
}

fn published_port(listen: IpAddr, host: u16, container: u16, protocol: &str) -> Option<Port> {
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => return None,
    };
    Some(Port::new(listen, host, container, protocol))
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
