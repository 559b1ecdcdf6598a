//! Making the network: both families, in subnets that nobody else has.

use ipnet::Ipv4Net;
use kind_net::pool;

use super::answer::Subnets;
use super::find::{error_says, find_network, says_taken};
use super::{duplicates, scouts};
use crate::command_line::Flavor;
use crate::command_line::program::Program;
use crate::{Code, Error};

/// How many IPv6 subnets are tried.
const MAX_ATTEMPTS: i32 = 5;
/// What docker says where it cannot do IPv6.
const DOCKER_NO_IPV6: [&str; 3] = [
    "Error response from daemon: Cannot read IPv6 setup for bridge",
    "Error response from daemon: Failed to Setup IP tables: Unable to enable NAT rule:  (iptables failed: ip6tables",
    "Error response from daemon: setting default policy to DROP in FORWARD chain failed:  (iptables failed: ip6tables",
];
const PODMAN_NO_IPV6: [&str; 2] = ["unknown flag: --ipv6", "is ipv6 enabled in the kernel"];
/// What engines say of a subnet that somebody has.
const OVERLAP: [&str; 5] = [
    "Pool overlaps with other one on this address space",
    "networks have overlapping",
    "is already used on the host or by another config",
    "is being used by a network interface",
    "is already being used by a cni configuration",
];

/// What became of one try.
enum Outcome {
    Made,
    NoIpv6,
    Overlap,
}

/// Makes the network, or finds that another process made it meanwhile.
pub(super) fn create_network(flavor: Flavor, program: &Program, name: &str) -> Result<(), Error> {
    let mtu = match flavor {
        Flavor::Podman => None,
        Flavor::Docker | Flavor::Nerdctl => bridge_mtu(program).map(|mtu| mtu.to_string()),
    };
    for attempt in 0..MAX_ATTEMPTS {
        let subnet = scouts::find_free_subnet(flavor, program, name);
        let ipv6 = pool::unique_local_subnet(name, attempt).to_string();
        let make = |ipv6: Option<&str>| {
            program.command_output(&creation_arguments(
                flavor,
                name,
                mtu.as_deref(),
                subnet,
                ipv6,
            ))
        };
        match creation_outcome(flavor, make(Some(&ipv6)))? {
            Outcome::Made => return Ok(()),
            Outcome::NoIpv6 => match creation_outcome(flavor, make(None))? {
                Outcome::Made => return Ok(()),
                _ => continue,
            },
            // Another process may have made it in the same subnet.
            Outcome::Overlap if network_exists(flavor, program, name)? => return Ok(()),
            Outcome::Overlap => {}
        }
    }
    Err(Error::other(
        Code::NoSubnet,
        "exhausted attempts trying to find a non-overlapping subnet",
        "remove networks that nobody uses, for example with `docker network prune`",
    ))
}

fn network_exists(flavor: Flavor, program: &Program, name: &str) -> Result<bool, Error> {
    match flavor {
        Flavor::Docker => Ok(!duplicates::network_ids(program, name)?.is_empty()),
        Flavor::Podman | Flavor::Nerdctl => Ok(find_network(flavor, program, name)?.is_some()),
    }
}

fn creation_outcome(flavor: Flavor, made: Result<String, Error>) -> Result<Outcome, Error> {
    let error = match made {
        Ok(_) => return Ok(Outcome::Made),
        Err(error) => error,
    };
    let output = error.output().unwrap_or_default();
    let no_ipv6: &[&str] = match flavor {
        Flavor::Docker => &DOCKER_NO_IPV6,
        Flavor::Nerdctl => &DOCKER_NO_IPV6[..1],
        Flavor::Podman => &PODMAN_NO_IPV6,
    };
    if no_ipv6.iter().any(|words| output.contains(words)) {
        return Ok(Outcome::NoIpv6);
    }
    if OVERLAP.iter().any(|words| error_says(&error, words)) {
        return Ok(Outcome::Overlap);
    }
    // Made by another process a moment ago.
    if says_taken(&error) {
        return Ok(Outcome::Made);
    }
    Err(error)
}

fn creation_arguments(
    flavor: Flavor,
    name: &str,
    mtu: Option<&str>,
    subnet: Option<Ipv4Net>,
    ipv6: Option<&str>,
) -> Vec<String> {
    let mut arguments: Vec<String> = ["network", "create", "-d=bridge"].map(str::to_owned).into();
    let mut add = |words: [&str; 2]| arguments.extend(words.map(str::to_owned));
    if flavor == Flavor::Docker {
        add(["-o", "com.docker.network.bridge.enable_ip_masquerade=true"]);
    }
    if let Some(mtu) = mtu {
        add(["-o", &format!("com.docker.network.driver.mtu={mtu}")]);
    }
    if let Some(subnet) = subnet {
        add(["--subnet", &subnet.to_string()]);
        add(["--ip-range", &lower_half(subnet).to_string()]);
    }
    if let Some(ipv6) = ipv6 {
        arguments.push("--ipv6".to_owned());
        arguments.extend(["--subnet", ipv6].map(str::to_owned));
    }
    arguments.push(name.to_owned());
    arguments
}

/// Whether a network of that name and these subnets is one that a kind has made.
pub(super) fn is_of_kind(name: &str, subnets: &Subnets) -> bool {
    let is_lower_half = subnets
        .v4
        .is_some_and(|v4| subnets.range == Some(lower_half(v4)));
    let is_from_name = |v6| (0..MAX_ATTEMPTS).any(|n| pool::unique_local_subnet(name, n) == v6);
    is_lower_half || subnets.v6.is_some_and(is_from_name)
}

/// The half from which the engine gives addresses to containers that ask for none: no other container
/// on the network gets a node's address while the node is stopped.
fn lower_half(subnet: Ipv4Net) -> Ipv4Net {
    let length = (subnet.prefix_len() + 1).min(32);
    Ipv4Net::new(subnet.network(), length).unwrap_or(subnet)
}

/// The MTU of docker's own bridge, which fits the host's way out.
pub(super) fn bridge_mtu(program: &Program) -> Option<u32> {
    let format = r#"{{ index .Options "com.docker.network.driver.mtu" }}"#;
    let told = program
        .command_output(&["network", "inspect", "bridge", "-f", format])
        .ok()?;
    let mtu: u32 = told.trim().parse().ok()?;
    (mtu > 0).then_some(mtu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_subnet_the_arguments_are_kinds() {
        let ipv6 = Some("fc00:f853:ccd:e793::/64");
        let masquerade = "com.docker.network.bridge.enable_ip_masquerade=true";
        for (flavor, words) in [
            (
                Flavor::Docker,
                format!("-d=bridge -o {masquerade} -o com.docker.network.driver.mtu=1500 "),
            ),
            (
                Flavor::Nerdctl,
                "-d=bridge -o com.docker.network.driver.mtu=1500 ".to_owned(),
            ),
            (Flavor::Podman, "-d=bridge ".to_owned()),
        ] {
            let mtu = (flavor != Flavor::Podman).then_some("1500");
            let made = creation_arguments(flavor, "kind", mtu, None, ipv6).join(" ");
            let subnet = "--ipv6 --subnet fc00:f853:ccd:e793::/64 kind";
            assert_eq!(made, format!("network create {words}{subnet}"));
        }
        let made = creation_arguments(Flavor::Podman, "kind", None, None, None).join(" ");
        assert_eq!(made, "network create -d=bridge kind");
    }

    #[test]
    fn the_engine_gives_addresses_from_the_lower_half() {
        let subnet = Some("172.18.0.0/16".parse().unwrap());
        let made = creation_arguments(Flavor::Docker, "kind", None, subnet, None).join(" ");
        assert!(
            made.contains("--subnet 172.18.0.0/16 --ip-range 172.18.0.0/17"),
            "{made}"
        );
    }
}
