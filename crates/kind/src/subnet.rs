//! Address arithmetic on the cluster's subnets.

use std::net::IpAddr;

use ipnet::IpNet;
use kind_config::parse_cidr;

/// Prefix of one node's share of the pod subnet, as the controller manager gives it out by default.
const NODE_PREFIX_V4: u8 = 24;
const NODE_PREFIX_V6: u8 = 64;
/// The DNS service's place in the service subnet, as kubeadm chooses it.
const DNS_OFFSET: u128 = 10;

/// The share of the node with that index (from 0) in each of the comma-separated pod subnets.
pub(crate) fn pod_cidrs(pod_subnets: &str, index: usize) -> Vec<String> {
    let pod_cidr_assignments = pod_subnets.split(',').filter_map(|subnet| {
        let subnet = parse_cidr(subnet)?;
        let prefix = match subnet {
            IpNet::V4(_) => NODE_PREFIX_V4,
            IpNet::V6(_) => NODE_PREFIX_V6,
        };
        let share = subnet
            .subnets(prefix.max(subnet.prefix_len()))
            .ok()?
            .nth(index)?;
        Some(share.to_string())
    });
    pod_cidr_assignments.collect()
}

/// Comma-separated subnets as every program reads them: without zeros before their lengths.
pub(crate) fn plain_subnets(subnets: &str) -> String {
    let plain = subnets.split(',').map(|subnet| {
        parse_cidr(subnet).map_or_else(|| subnet.to_owned(), |plain| plain.to_string())
    });
    plain.collect::<Vec<_>>().join(",")
}

/// The address of the cluster's DNS service, in the first of the service subnets.
pub(crate) fn dns_service_ip(service_subnets: &str) -> Option<IpAddr> {
    let first = service_subnets.split(',').next()?;
    Some(match parse_cidr(first)?.network() {
        IpAddr::V4(base) => {
            let address = u32::from(base).checked_add(u32::try_from(DNS_OFFSET).ok()?)?;
            IpAddr::V4(address.into())
        }
        IpAddr::V6(base) => IpAddr::V6(u128::from(base).checked_add(DNS_OFFSET)?.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_before_lengths_are_left_out() {
        assert_eq!(
            plain_subnets("10.244.0.0/016,fd00::/0056,x"),
            "10.244.0.0/16,fd00::/56,x"
        );
        assert_eq!(pod_cidrs("10.244.0.0/016", 1), ["10.244.1.0/24"]);
        assert!(dns_service_ip("10.96.0.0/016").is_some());
    }

    #[test]
    fn nodes_get_shares_in_order() {
        for (subnets, index, pod_cidr_assignments) in [
            ("10.244.0.0/16", 0, vec!["10.244.0.0/24"]),
            ("10.244.0.0/16", 2, vec!["10.244.2.0/24"]),
            ("fd00:10:244::/56", 1, vec!["fd00:10:244:1::/64"]),
            (
                "10.244.0.0/16,fd00:10:244::/56",
                0,
                vec!["10.244.0.0/24", "fd00:10:244::/64"],
            ),
            ("10.1.2.0/26", 0, vec!["10.1.2.0/26"]),
            ("10.1.2.0/26", 1, vec![]),
        ] {
            assert_eq!(
                pod_cidrs(subnets, index),
                pod_cidr_assignments,
                "{subnets} {index}"
            );
        }
    }

    #[test]
    fn dns_is_the_tenth_address() {
        for (subnets, address) in [
            ("10.96.0.0/16", "10.96.0.10"),
            ("10.96.0.5/16", "10.96.0.10"),
            ("fd00:10:96::/112", "fd00:10:96::a"),
            ("10.96.0.0/16,fd00:10:96::/112", "10.96.0.10"),
        ] {
            let expected = Some(address.parse().unwrap());
            assert_eq!(dns_service_ip(subnets), expected);
        }
    }
}
