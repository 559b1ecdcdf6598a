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

/// Checks a list of subnets against an address family.
pub(super) fn check(subnets: &str, family: &IpFamily) -> Result<(), String> {
    let subnets: Vec<IpNet> = subnets.split(',').map(parse).collect::<Result<_, _>>()?;
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
    Err(problem.to_owned())
}

fn parse(subnet: &str) -> Result<IpNet, String> {
    subnet.parse().map_err(|_| {
        format!("failed to parse cidr value:{subnet:?} with error: invalid CIDR address: {subnet}")
    })
}
