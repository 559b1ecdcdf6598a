//! Subnets for networks, addresses for nodes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use sha1::{Digest, Sha1};

use crate::Error;

/// The IPv4 subnets that networks of nodes are taken from, in this order: the ones that container
/// engines use too.
pub fn candidates() -> impl Iterator<Item = Ipv4Net> {
    let large = (18..=31).map(|second| (Ipv4Addr::new(172, second, 0, 0), 16));
    let small = (0..=15).map(|index| (Ipv4Addr::new(192, 168, index * 16, 0), 20));
    large
        .chain(small)
        .map(|(address, length)| Ipv4Net::new_assert(address, length))
}

/// The first candidate that overlaps nothing in `taken`.
///
/// # Errors
/// [`Error::NoSubnet`] if all of them do.
pub fn free_subnet(taken: &[IpNet]) -> Result<Ipv4Net, Error> {
    candidates()
        .find(|candidate| {
            !taken
                .iter()
                .any(|other| overlap(&IpNet::V4(*candidate), other))
        })
        .ok_or_else(|| {
            let taken: Vec<_> = taken.iter().map(ToString::to_string).collect();
            Error::NoSubnet(taken.join(", "))
        })
}

/// The two subnets share an address. The default route, which covers everything, does not count.
pub fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.prefix_len() > 0
        && other.prefix_len() > 0
        && (one.contains(&other.network()) || other.contains(&one.network()))
}

/// The IPv6 subnet that kind gives a network: unique local, from the SHA-1 of the name and the number
/// of the attempt, as kind's `generateULASubnetFromName` makes it, so that every tool chooses the same.
pub fn unique_local_subnet(name: &str, attempt: i32) -> Ipv6Net {
    let mut hash = Sha1::new();
    hash.update(name.as_bytes());
    hash.update(attempt.to_le_bytes());
    let digest = hash.finalize();
    let mut octets = [0; 16];
    octets[0] = 0xfc;
    octets[2..8].copy_from_slice(&digest[2..8]);
    Ipv6Net::new_assert(octets.into(), 64)
}

/// The addresses of a network that belong to services: the last ones, from the first to the last of them.
/// Nodes get none of these. A network too small to spare some has none for services.
///
/// At most 254 of IPv4, at most a quarter of the network; of IPv6 those with the numbers that the IPv4
/// addresses of a network of the usual size have, so that [`matching_address`] never gives them out.
pub fn service_range(subnet: IpNet) -> Option<(IpAddr, IpAddr)> {
    let bits = subnet.max_prefix_len() - subnet.prefix_len();
    if bits < 4 {
        return None;
    }
    let size = 1u128 << (bits - 2).min(8);
    // Without what looks like the number of a network or a broadcast.
    let inner = |end: u128| (end - size + 1, end - 2);
    Some(match subnet.network() {
        IpAddr::V4(base) => {
            let (first, last) = inner(1 << bits);
            let at = |number| u32::try_from(u128::from(u32::from(base)) + number).ok();
            (
                Ipv4Addr::from(at(first)?).into(),
                Ipv4Addr::from(at(last)?).into(),
            )
        }
        IpAddr::V6(base) => {
            let (first, last) = inner(1 << bits.min(16));
            let at = |number| Ipv6Addr::from(u128::from(base) + number);
            (at(first).into(), at(last).into())
        }
    })
}

/// The lowest free IPv4 address for a node: never the network's own, the gateway's, the broadcast or one of
/// [`service_range`].
///
/// # Errors
/// [`Error::NoAddress`] if every address is taken.
pub fn free_address(subnet: Ipv4Net, taken: &BTreeSet<IpAddr>) -> Result<Ipv4Addr, Error> {
    let services = service_range(IpNet::V4(subnet));
    let of_services =
        |address: &IpAddr| services.is_some_and(|(first, last)| (first..=last).contains(address));
    subnet
        .hosts()
        .skip(1)
        .find(|address| {
            let address = IpAddr::V4(*address);
            !of_services(&address) && !taken.contains(&address)
        })
        .ok_or_else(|| Error::NoAddress(subnet.to_string()))
}

/// The address that the node with the IPv4 address `v4` has in the IPv6 subnet: the same number
/// counted from the start of the subnet, so that both are free or taken together.
pub fn matching_address(subnet: Ipv6Net, pool: Ipv4Net, v4: Ipv4Addr) -> Ipv6Addr {
    let offset = u32::from(v4) - u32::from(pool.network());
    Ipv6Addr::from(u128::from(subnet.network()) + u128::from(offset))
}

/// The first host address, which the bridge has.
pub fn gateway(subnet: IpNet) -> IpAddr {
    match subnet {
        IpNet::V4(v4) => Ipv4Addr::from(u32::from(v4.network()) + 1).into(),
        IpNet::V6(v6) => Ipv6Addr::from(u128::from(v6.network()) + 1).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn takes_the_first_subnet_that_nothing_overlaps() {
        assert_eq!(free_subnet(&[]).unwrap().to_string(), "172.18.0.0/16");
        let taken = [net("172.18.5.0/24"), net("0.0.0.0/0"), net("172.16.0.0/14")];
        assert_eq!(free_subnet(&taken).unwrap().to_string(), "172.20.0.0/16");
        let all = [net("172.16.0.0/12"), net("192.168.0.0/16")];
        assert!(matches!(free_subnet(&all), Err(Error::NoSubnet(_))));
    }

    #[test]
    fn addresses_start_after_the_gateway_and_run_out() {
        let subnet: Ipv4Net = "10.0.0.0/30".parse().unwrap();
        let mut taken = BTreeSet::new();
        let first = free_address(subnet, &taken).unwrap();
        assert_eq!(first.to_string(), "10.0.0.2");
        taken.insert(first.into());
        assert!(matches!(
            free_address(subnet, &taken),
            Err(Error::NoAddress(_))
        ));
    }

    #[test]
    fn unique_local_subnets_are_kinds() {
        for (name, attempt, subnet) in [
            ("kind", 0, "fc00:f853:ccd:e793::/64"),
            ("foo", 1, "fc00:8edf:7f02:ec8f::/64"),
            ("foo", 2, "fc00:9968:306b:2c65::/64"),
            ("kind2", 0, "fc00:444c:147a:44ab::/64"),
            ("kin", 0, "fc00:fcd9:c2be:8e23::/64"),
            ("mysupernetwork", 0, "fc00:7ae1:1e0d:b4d4::/64"),
        ] {
            assert_eq!(unique_local_subnet(name, attempt).to_string(), subnet);
        }
    }

    #[test]
    fn services_have_the_last_addresses() {
        for (subnet, range) in [
            ("172.18.0.0/16", Some("172.18.255.1-172.18.255.254")),
            ("192.168.16.0/20", Some("192.168.31.1-192.168.31.254")),
            ("10.1.2.0/24", Some("10.1.2.193-10.1.2.254")),
            ("10.1.2.16/28", Some("10.1.2.29-10.1.2.30")),
            ("10.1.2.16/29", None),
            (
                "fc00:f853:ccd:e793::/64",
                Some("fc00:f853:ccd:e793::ff01-fc00:f853:ccd:e793::fffe"),
            ),
            ("fd00::/120", Some("fd00::c1-fd00::fe")),
        ] {
            let found = service_range(net(subnet)).map(|(first, last)| format!("{first}-{last}"));
            assert_eq!(found.as_deref(), range, "{subnet}");
        }
        let nodes = (2..=13)
            .map(|host| IpAddr::from([10, 0, 0, host]))
            .collect();
        let subnet = "10.0.0.0/28".parse().unwrap();
        assert!(matches!(
            free_address(subnet, &nodes),
            Err(Error::NoAddress(_))
        ));
    }

    #[test]
    fn both_families_have_the_same_number() {
        let v6 = matching_address(
            "fc00:f853:ccd:e793::/64".parse().unwrap(),
            "172.18.0.0/16".parse().unwrap(),
            "172.18.0.3".parse().unwrap(),
        );
        assert_eq!(v6.to_string(), "fc00:f853:ccd:e793::3");
        assert_eq!(gateway(net("172.18.0.0/16")).to_string(), "172.18.0.1");
        assert_eq!(gateway(net("fc00::/64")).to_string(), "fc00::1");
    }

    mod properties {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn a_free_address_is_free_and_inside(length in 20u8..=29, taken in proptest::collection::btree_set(0u32..300, 0..200)) {
                let subnet = Ipv4Net::new(Ipv4Addr::new(172, 18, 0, 0), length).unwrap();
                let base = u32::from(subnet.network());
                let taken: BTreeSet<IpAddr> = taken.into_iter().map(|n| Ipv4Addr::from(base + n).into()).collect();
                if let Ok(address) = free_address(subnet, &taken) {
                    prop_assert!(subnet.contains(&address));
                    prop_assert!(!taken.contains(&IpAddr::V4(address)));
                    prop_assert!(address != subnet.network() && address != subnet.broadcast());
                    prop_assert!(IpAddr::V4(address) != gateway(subnet.into()));
                }
            }

            #[test]
            fn a_free_subnet_overlaps_nothing(taken in proptest::collection::vec((any::<u32>(), 1u8..=32), 0..20)) {
                let taken: Vec<IpNet> = taken.into_iter()
                    .map(|(address, length)| Ipv4Net::new(address.into(), length).unwrap().trunc().into())
                    .collect();
                if let Ok(subnet) = free_subnet(&taken) {
                    prop_assert!(taken.iter().all(|other| !overlap(&subnet.into(), other)));
                }
            }
        }
    }
}
