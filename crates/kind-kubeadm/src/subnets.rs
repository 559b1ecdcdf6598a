//! Sizes of subnets that kubeadm refuses: `ValidateNetworking` of Kubernetes' `cmd/kubeadm/app/apis/kubeadm/validation`,
//! with the numbers of `cmd/kubeadm/app/constants`.

use ipnet::IpNet;
use kind_config::parse_cidr;
use serde_json::Value;

use crate::patch::named_arguments;
use crate::{Documents, Error};

/// The cluster DNS has the tenth address of Services.
const MINIMUM_SERVICE_ADDRESSES: u128 = 10;
const MINIMUM_POD_ADDRESSES: u128 = 14;
const MAXIMUM_SERVICE_BITS: u8 = 20;
/// How many bits number the nodes' shares of a pod subnet.
const MAXIMUM_NODE_BITS: u8 = 16;

/// What kubeadm has against the subnets of a first node's final documents.
pub(crate) fn subnet_problems(documents: &Documents) -> Vec<Error> {
    let services = read_subnets(documents.service_subnet()).into_iter();
    let services = services.filter_map(service_problem);
    let pods = read_subnets(documents.pod_subnet()).into_iter();
    let arguments = named_arguments(documents.controller_manager_arguments());
    let pods = pods.filter_map(|subnet| pod_problem(subnet, &arguments));
    services.chain(pods).map(Error::Subnet).collect()
}

fn read_subnets(subnets: Option<&str>) -> Vec<IpNet> {
    let subnets = subnets.unwrap_or_default().split(',');
    subnets.filter_map(parse_cidr).collect()
}

fn service_problem(subnet: IpNet) -> Option<String> {
    let host_bits = subnet.max_prefix_len() - subnet.prefix_len();
    if let Some(problem) = too_small(subnet, MINIMUM_SERVICE_ADDRESSES) {
        return Some(format!("invalid service subnet {problem}"));
    }
    (host_bits > MAXIMUM_SERVICE_BITS).then(|| {
        let longest = subnet.max_prefix_len() - MAXIMUM_SERVICE_BITS;
        format!("invalid service subnet {subnet}: it is too large for kubeadm, which takes /{longest} and smaller ones")
    })
}

fn pod_problem(subnet: IpNet, arguments: &[(&str, &Value)]) -> Option<String> {
    if let Some(problem) = too_small(subnet, MINIMUM_POD_ADDRESSES) {
        return Some(format!("invalid pod subnet {problem}"));
    }
    // Where the controller manager gives nodes no shares, their size does not matter.
    if find_argument(arguments, "allocate-node-cidrs") == Some("false") {
        return None;
    }
    share_problem(subnet, node_prefix(arguments, subnet))
}

fn share_problem(subnet: IpNet, node_prefix: u8) -> Option<String> {
    let prefix = subnet.prefix_len();
    if prefix > node_prefix {
        Some(format!(
            "invalid pod subnet {subnet}: it has no room for one node's share, which is a /{node_prefix}"
        ))
    } else if node_prefix - prefix > MAXIMUM_NODE_BITS {
        let longest = node_prefix - MAXIMUM_NODE_BITS;
        Some(format!(
            "invalid pod subnet {subnet}: it is too large for kubeadm, which takes /{longest} and smaller ones where a \
             node's share is a /{node_prefix}"
        ))
    } else {
        None
    }
}

fn too_small(subnet: IpNet, minimum: u128) -> Option<String> {
    let host_bits = u32::from(subnet.max_prefix_len() - subnet.prefix_len());
    let addresses = 1_u128.checked_shl(host_bits)?;
    (addresses < minimum).then(|| {
        format!("{subnet}: it has {addresses} addresses, and kubeadm wants {minimum} at least")
    })
}

/// The prefix length of a node's share of a pod subnet.
fn node_prefix(arguments: &[(&str, &Value)], subnet: IpNet) -> u8 {
    let (own, default) = match subnet {
        IpNet::V4(_) => ("node-cidr-mask-size-ipv4", 24),
        IpNet::V6(_) => ("node-cidr-mask-size-ipv6", 64),
    };
    let find = |name: &str| find_argument(arguments, name)?.parse().ok();
    find(own)
        .or_else(|| find("node-cidr-mask-size"))
        .unwrap_or(default)
}

/// The value of an argument: of several the last one's.
fn find_argument<'a>(arguments: &[(&str, &'a Value)], name: &str) -> Option<&'a str> {
    let (_, value) = arguments.iter().rev().find(|(known, _)| *known == name)?;
    value.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(subnet: &str) -> Option<String> {
        service_problem(subnet.parse().unwrap())
    }

    fn pods(subnet: &str) -> Option<String> {
        pod_problem(subnet.parse().unwrap(), &[])
    }

    #[test]
    fn service_subnets_that_kubeadm_refuses_are_told() {
        for subnet in ["10.96.0.0/12", "10.96.0.0/28", "fd00::/108", "fd00::/124"] {
            assert_eq!(service(subnet), None, "{subnet}");
        }
        for subnet in ["10.0.0.0/11", "fd00::/107", "0.0.0.0/0", "::/0"] {
            assert!(service(subnet).unwrap().contains("too large"), "{subnet}");
        }
        for subnet in ["10.96.0.0/29", "10.96.0.0/32", "fd00::/125"] {
            assert!(
                service(subnet).unwrap().contains("wants 10 at least"),
                "{subnet}"
            );
        }
    }

    #[test]
    fn pod_subnets_that_kubeadm_refuses_are_told() {
        for subnet in ["10.0.0.0/8", "10.244.0.0/24", "fd00::/48", "fd00::/64"] {
            assert_eq!(pods(subnet), None, "{subnet}");
        }
        for subnet in ["8.0.0.0/7", "fd00::/47"] {
            assert!(pods(subnet).unwrap().contains("too large"), "{subnet}");
        }
        for subnet in ["10.244.0.0/25", "fd00::/65"] {
            assert!(pods(subnet).unwrap().contains("no room"), "{subnet}");
        }
        let own = Value::from("28");
        let subnet = "10.244.0.0/26".parse().unwrap();
        let arguments = [("node-cidr-mask-size", &own)];
        assert_eq!(pod_problem(subnet, &arguments), None);
    }

    #[test]
    fn shares_do_not_matter_where_nodes_get_none() {
        let none = Value::from("false");
        let arguments = [("allocate-node-cidrs", &none)];
        for subnet in ["10.244.0.0/26", "fd00::/112", "8.0.0.0/7"] {
            assert_eq!(pod_problem(subnet.parse().unwrap(), &arguments), None);
        }
    }
}
