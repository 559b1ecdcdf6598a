//! Whether addresses of nodes are addresses of pods or Services too.

use ipnet::IpNet;
use kind_config::{Cluster, parse_cidr};
use kind_engine::Network;

use crate::{Error, Result, subnet};

/// Compares the network of nodes with the cluster's subnets. Returns what may do harm later.
///
/// # Errors
/// [`Error::NetworkOverlap`] if pods of the cluster's nodes would get addresses of nodes.
pub(super) fn check_overlaps(cluster: &Cluster, network: &Network) -> Result<Vec<String>> {
    let networking = &cluster.networking;
    let nodes = 0..cluster.nodes.len();
    let shares = nodes.flat_map(|index| subnet::pod_cidrs(&networking.pod_subnet, index));
    for share in shares {
        if let Some(taken) = find_overlap(network, &share) {
            return Err(Error::NetworkOverlap {
                network: network.name.clone(),
                subnet: taken.to_owned(),
                pods: share,
            });
        }
    }
    let ranges = [
        ("podSubnet", &networking.pod_subnet),
        ("serviceSubnet", &networking.service_subnet),
    ];
    let ranges = ranges.into_iter().flat_map(|(field, text)| {
        let parts = text.split(',');
        parts.map(move |part| (field, part))
    });
    let warnings = ranges.filter_map(|(field, range)| {
        let taken = find_overlap(network, range)?;
        Some(format!(
            "networking.{field} {range} has addresses of the nodes' network {:?} ({taken}): what is given one of these \
             is not reached (choose another {field})",
            network.name
        ))
    });
    Ok(warnings.collect())
}

/// The network's subnet that shares addresses with this one.
fn find_overlap<'a>(network: &'a Network, range: &str) -> Option<&'a str> {
    let range = parse_cidr(range.trim())?;
    let overlaps = |subnet: &&String| {
        let subnet = subnet.parse::<IpNet>();
        subnet.is_ok_and(|subnet| {
            subnet.contains(&range.network()) || range.contains(&subnet.network())
        })
    };
    network.subnets.iter().find(overlaps).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use kind_config::Node;

    use super::*;
    use crate::Code;

    fn checked(subnets: &[&str]) -> Result<Vec<String>> {
        let mut cluster = Cluster::named("a")
            .node(Node::control_plane())
            .node(Node::worker());
        cluster.set_defaults();
        let network = Network {
            name: "kind".to_owned(),
            subnets: subnets.iter().map(|&subnet| subnet.to_owned()).collect(),
            lasting_addresses: true,
            warnings: Vec::new(),
        };
        check_overlaps(&cluster, &network)
    }

    #[test]
    fn nodes_with_addresses_of_pods_are_refused() {
        for subnet in ["10.244.0.0/16", "10.244.1.0/24", "10.0.0.0/8"] {
            let error = checked(&["fd00::/64", subnet]).unwrap_err();
            assert_eq!(error.code(), Code::NetworkOverlap, "{subnet}");
            assert!(error.remedy().unwrap().contains("networking.podSubnet"));
        }
    }

    #[test]
    fn nodes_with_addresses_that_pods_may_get_later_are_told() {
        let warnings = checked(&["10.244.200.0/24"]).unwrap();
        assert!(
            warnings[0].starts_with("networking.podSubnet 10.244.0.0/16 "),
            "{warnings:?}"
        );
        let warnings = checked(&["10.96.64.0/20"]).unwrap();
        assert!(
            warnings[0].starts_with("networking.serviceSubnet 10.96.0.0/16 "),
            "{warnings:?}"
        );
    }

    #[test]
    fn usual_networks_overlap_nothing() {
        let usual = ["172.18.0.0/16", "fc00:f853:ccd:e793::/64", "no subnet"];
        assert_eq!(checked(&usual).unwrap(), [] as [&str; 0]);
    }
}
