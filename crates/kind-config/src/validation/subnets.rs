//! Subnets of pods and services.

use ipnet::IpNet;

use crate::model::{IpFamily, Networking};

impl Networking {
    /// The subnets of pods, in their order; those that are not CIDRs are left out, which
    /// [`Cluster::validate`](crate::Cluster::validate) has reported.
    pub fn pod_subnets(&self) -> Vec<IpNet> {
        split(&self.pod_subnet)
    }

    /// The subnets of services, in their order, as [`Networking::pod_subnets`].
    pub fn service_subnets(&self) -> Vec<IpNet> {
        split(&self.service_subnet)
    }
}

fn split(subnets: &str) -> Vec<IpNet> {
    subnets
        .split(',')
        .filter_map(|subnet| subnet.parse().ok())
        .collect()
}

/// What is wrong with subnets.
pub(super) struct Problem {
    /// In kind's words.
    pub(super) message: String,
    /// What to write.
    pub(super) hint: &'static str,
}

impl Problem {
    fn new(message: impl Into<String>, hint: &'static str) -> Self {
        Self {
            message: message.into(),
            hint,
        }
    }
}

const IPV4: &str = "write one IPv4 CIDR, for example 10.244.0.0/16";
const IPV6: &str = "write one IPv6 CIDR, for example fd00:10:244::/56";
const DUAL: &str = "write for example 10.244.0.0/16,fd00:10:244::/56";

/// Checks a list of subnets against an address family.
pub(super) fn check_subnets(subnets: &str, family: &IpFamily) -> Result<(), Problem> {
    let hint = match family {
        IpFamily::Ipv6 => IPV6,
        IpFamily::Dual => DUAL,
        IpFamily::Ipv4 | IpFamily::Unknown(_) => IPV4,
    };
    let subnets: Vec<IpNet> = subnets
        .split(',')
        .map(|subnet| parse_subnet(subnet, hint))
        .collect::<Result<_, _>>()?;
    let is_ipv4 = |subnet: &IpNet| matches!(subnet, IpNet::V4(_));
    let problem = match (family, subnets.as_slice()) {
        (IpFamily::Dual, [_]) => return Ok(()),
        (IpFamily::Dual, [first, second]) if is_ipv4(first) != is_ipv4(second) => return Ok(()),
        (IpFamily::Dual, _) => {
            "expected one (IPv4 or IPv6) CIDR or two CIDRs from each family for dual-stack networking"
        }
        (_, [_, _, ..]) => "only one CIDR allowed for single-stack networking",
        (IpFamily::Ipv4, [subnet]) if !is_ipv4(subnet) => "expected IPv4 CIDR for IPv4 family",
        (IpFamily::Ipv6, [subnet]) if is_ipv4(subnet) => "expected IPv6 CIDR for IPv6 family",
        _ => return Ok(()),
    };
    Err(Problem::new(problem, hint))
}

fn parse_subnet(subnet: &str, hint: &'static str) -> Result<IpNet, Problem> {
    let hint = if subnet.trim() == subnet {
        hint
    } else {
        "leave out the spaces"
    };
    subnet.parse().map_err(|_| {
        let message = format!(
            "failed to parse cidr value:{subnet:?} with error: invalid CIDR address: {subnet}"
        );
        Problem::new(message, hint)
    })
}
