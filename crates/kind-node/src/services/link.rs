//! The link of this node that services' addresses are announced on.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use kind_net::netlink::{LinkAddress, Netlink};
use kind_net::pool;

use super::Error;
use crate::nft::Family;

/// The link to the network that the nodes are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Its index.
    pub(super) index: u32,
    /// Its name.
    pub(super) name: String,
    /// Its hardware address; nothing can be announced without.
    pub(super) hardware: Option<[u8; 6]>,
    /// The addresses that belong to services, at most one range of each family.
    pub(super) ranges: Ranges,
    /// The node's addresses, of whatever link.
    own: Vec<IpAddr>,
    /// The networks that the link is on.
    networks: Vec<IpNet>,
}

/// The addresses that belong to services.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ranges(Vec<RangeInclusive<IpAddr>>);

impl Ranges {
    /// Those of networks with these addresses.
    pub(super) fn of_addresses(addresses: impl Iterator<Item = IpNet>) -> Self {
        let mut ranges: Vec<RangeInclusive<IpAddr>> = Vec::new();
        for address in addresses {
            let range = pool::service_range(address.trunc());
            let family = Family::of_address(address.addr());
            let known = ranges
                .iter()
                .any(|range| Family::of_address(*range.start()) == family);
            if let Some((first, last)) = range.filter(|_| !known) {
                ranges.push(first..=last);
            }
        }
        Self(ranges)
    }

    /// Tells whether an address belongs to services.
    pub(super) fn contain(&self, address: &IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// The first and the last address of each range of a family.
    pub(super) fn of_family(&self, family: Family) -> impl Iterator<Item = (IpAddr, IpAddr)> {
        let ranges = self.0.iter().map(|range| (*range.start(), *range.end()));
        ranges.filter(move |(first, _)| Family::of_address(*first) == family)
    }

    /// All addresses of a family, beginning with the one of that number.
    pub(super) fn candidates(&self, family: Family, first: u64) -> impl Iterator<Item = IpAddr> {
        let range = self
            .0
            .iter()
            .find(|range| Family::of_address(*range.start()) == family);
        let all = range.map_or(Vec::new(), |range| addresses(*range.start(), *range.end()));
        let length = u64::try_from(all.len()).unwrap_or(1).max(1);
        let skipped = usize::try_from(first % length).unwrap_or(0);
        let mut rotated = all;
        rotated.rotate_left(skipped);
        rotated.into_iter()
    }
}

impl Link {
    /// Finds the link by this node's own address.
    pub(super) fn find_link(netlink: &mut Netlink, host: IpAddr) -> Result<Self, Error> {
        let all = netlink.link_addresses()?;
        let own = all.iter().find(|own| own.address.addr() == host);
        let index = own.ok_or(Error::NoLink(host))?.link;
        let on_link = all.iter().filter(|candidate| candidate.link == index);
        let networks: Vec<IpNet> = on_link
            .map(|found| found.address)
            .filter(is_network)
            .collect();
        // The host's own address first: its network is the one that counts in its family.
        let ranges = own
            .map(|own| own.address)
            .into_iter()
            .chain(networks.clone());
        Ok(Self {
            index,
            name: netlink.link_name(index)?,
            hardware: netlink.hardware_address(index)?,
            ranges: Ranges::of_addresses(ranges),
            own: all.iter().map(|found| found.address.addr()).collect(),
            networks,
        })
    }

    /// Tells whether an address is the node's own.
    pub(super) fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }

    /// Tells whether an address can be another node's on the same network.
    pub(super) fn is_neighbour(&self, address: IpAddr) -> bool {
        let on_link = self
            .networks
            .iter()
            .any(|network| network.contains(&address));
        on_link && !self.ranges.contain(&address)
    }

    /// The services' addresses that the link has now. Others, for example the node's own on a network
    /// where an engine gave it one of these, are not ours to touch.
    pub(super) fn announced(&self, netlink: &mut Netlink) -> Result<Vec<IpAddr>, Error> {
        let ours = |found: &LinkAddress| {
            let single = found.address.prefix_len() == found.address.max_prefix_len();
            found.link == self.index && single && self.ranges.contain(&found.address.addr())
        };
        let all = netlink.link_addresses()?.into_iter();
        Ok(all.filter(ours).map(|found| found.address.addr()).collect())
    }
}

fn is_network(address: &IpNet) -> bool {
    let link_local = match address {
        IpNet::V4(address) => address.addr().is_link_local(),
        IpNet::V6(address) => address.addr().is_unicast_link_local(),
    };
    !link_local && address.prefix_len() < address.max_prefix_len()
}

fn addresses(first: IpAddr, last: IpAddr) -> Vec<IpAddr> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => (u32::from(first)..=u32::from(last))
            .map(|number| IpAddr::V4(number.into()))
            .collect(),
        (IpAddr::V6(first), IpAddr::V6(last)) => (u128::from(first)..=u128::from(last))
            .map(|number| IpAddr::V6(number.into()))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_all_of_the_range_from_anywhere() {
        let networks = ["10.1.2.3/24", "fc00::2/64", "10.9.0.1/16"];
        let ranges = Ranges::of_addresses(networks.iter().map(|text| text.parse().unwrap()));
        let first = |family, number| {
            ranges
                .candidates(family, number)
                .next()
                .unwrap()
                .to_string()
        };
        assert_eq!(first(Family::V4, 0), "10.1.2.193");
        assert_eq!(first(Family::V4, 62 + 5), "10.1.2.198");
        assert_eq!(first(Family::V6, 1), "fc00::ff02");
        let mut all: Vec<IpAddr> = ranges.candidates(Family::V4, u64::MAX).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 62);
        assert!(all.iter().all(|address| ranges.contain(address)));
        assert!(!ranges.contain(&"10.1.2.3".parse().unwrap()));
        assert_eq!(Ranges::default().candidates(Family::V4, 3).count(), 0);
    }
}
