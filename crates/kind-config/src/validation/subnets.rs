//! Subnets of pods and services.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{IpFamily, Networking};

/// Reads a CIDR as Go's `net.ParseCIDR` does: an octet has no leading zeros, a prefix length may have them.
pub fn parse_cidr(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    if !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    IpNet::new(address, length.parse().ok()?).ok()
}

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
    subnets.split(',').filter_map(parse_cidr).collect()
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
    parse_cidr(subnet).ok_or_else(|| {
        let message = format!(
            "failed to parse cidr value:{subnet:?} with error: invalid CIDR address: {subnet}"
        );
        Problem::new(message, hint)
    })
}

/// Subnets that are probably not what was meant.
pub(super) fn subnet_warnings(networking: &Networking) -> Vec<String> {
    let mut warnings = unusual_subnets(networking);
    warnings.extend(overlapping_subnets(networking));
    warnings.extend(family_order(networking));
    warnings
}

/// Subnets that pods and Services have both. Nodes get no pod addresses where Services have them all
/// (`filterOutServiceRange` of Kubernetes' `pkg/controller/nodeipam`), and what is left may be a pod's and a Service's.
fn overlapping_subnets(networking: &Networking) -> Vec<String> {
    let services = networking.service_subnets();
    let pods = networking.pod_subnets().into_iter();
    let pairs = pods.flat_map(|pods| services.iter().map(move |services| (pods, *services)));
    let overlapping =
        pairs.filter(|(pods, services)| pods.contains(services) || services.contains(pods));
    overlapping
        .map(|(pods, services)| {
            format!(
                "networking.serviceSubnet: {services} overlaps podSubnet {pods}: an address may be a pod's and a Service's"
            )
        })
        .collect()
}

/// Nodes have the first family of Services as their own (`node-ip`), and kubelets put pods' addresses in that order.
fn family_order(networking: &Networking) -> Option<String> {
    let (pods, services) = (networking.pod_subnets(), networking.service_subnets());
    let (pods, services) = (pods.first()?, services.first()?);
    let family = |subnet: &IpNet| match subnet {
        IpNet::V4(_) => "IPv4",
        IpNet::V6(_) => "IPv6",
    };
    (family(pods) != family(services)).then(|| {
        format!(
            "networking.podSubnet begins with {} and serviceSubnet with {}: the cluster's first family is that of Services; write both in one order",
            family(pods),
            family(services)
        )
    })
}

/// CIDRs that stand for another one. The validation of Kubernetes' own objects refuses such (KEP-4858).
fn unusual_subnets(networking: &Networking) -> Vec<String> {
    let fields = [
        ("podSubnet", &networking.pod_subnet),
        ("serviceSubnet", &networking.service_subnet),
    ];
    let subnets = fields
        .into_iter()
        .flat_map(|(field, subnets)| subnets.split(',').map(move |text| (field, text)));
    subnets
        .filter_map(|(field, text)| {
            let meant = meant_subnet(text)?;
            Some(format!(
                "networking.{field}: {text} stands for {meant}; write {meant}"
            ))
        })
        .collect()
}

/// What a CIDR with host bits, or with zeros before its length, stands for.
fn meant_subnet(text: &str) -> Option<IpNet> {
    let subnet = parse_cidr(text)?;
    let has_host_bits = subnet.trunc() != subnet;
    let has_zeros = !text.ends_with(&format!("/{}", subnet.prefix_len()));
    (has_host_bits || has_zeros).then(|| subnet.trunc())
}
