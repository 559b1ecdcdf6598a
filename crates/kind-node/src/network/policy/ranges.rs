//! Blocks of addresses with exceptions, as ranges that do not overlap.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::nft::Family;

/// A block of addresses without some that are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The block.
    pub(super) range: IpNet,
    /// What is left out.
    pub(super) except: Vec<IpNet>,
}

impl Block {
    /// Tells whether the block has an address.
    pub(super) fn contains(&self, address: &IpAddr) -> bool {
        self.range.contains(address) && !self.except.iter().any(|range| range.contains(address))
    }
}

/// The node's own address of a range of its pods: the plugin `host-local` keeps the first one for the gateway.
pub(super) fn gateway_address(range: &IpNet) -> IpAddr {
    let network = address_number(range.network());
    number_address(Family::of_range(range), network.saturating_add(1))
}

/// First and last number of a range.
type Range = (u128, u128);

/// All addresses of a family in these blocks.
pub(super) fn union_of_ranges<'a>(
    blocks: impl Iterator<Item = &'a Block>,
    family: Family,
) -> BTreeSet<(IpAddr, IpAddr)> {
    let of_family = |block: &&Block| Family::of_range(&block.range) == family;
    let mut parts: Vec<Range> = blocks
        .filter(of_family)
        .flat_map(without_exceptions)
        .collect();
    parts.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for part in parts {
        match merged.last_mut() {
            Some(last) if part.0 <= last.1.saturating_add(1) => last.1 = last.1.max(part.1),
            _ => merged.push(part),
        }
    }
    let address = |number| number_address(family, number);
    merged
        .into_iter()
        .map(|(first, last)| (address(first), address(last)))
        .collect()
}

fn without_exceptions(block: &Block) -> Vec<Range> {
    let mut parts = vec![range_bounds(&block.range)];
    let same_family = |except: &&IpNet| Family::of_range(except) == Family::of_range(&block.range);
    for except in block.except.iter().filter(same_family).map(range_bounds) {
        parts = parts
            .into_iter()
            .flat_map(|part| cut_hole(part, except))
            .collect();
    }
    parts
}

/// What is left of a range on both sides of a hole.
fn cut_hole(part: Range, hole: Range) -> impl Iterator<Item = Range> {
    let before = hole.0.checked_sub(1).map(|last| (part.0, last.min(part.1)));
    let after = hole
        .1
        .checked_add(1)
        .map(|first| (first.max(part.0), part.1));
    let not_empty = |range: &Range| range.0 <= range.1;
    before.into_iter().chain(after).filter(not_empty)
}

fn range_bounds(range: &IpNet) -> Range {
    (
        address_number(range.network()),
        address_number(range.broadcast()),
    )
}

fn address_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn number_address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into(),
        Family::V6 => Ipv6Addr::from(number).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(range: &str, except: &[&str]) -> Block {
        Block {
            range: range.parse().unwrap(),
            except: except.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    fn texts(blocks: &[Block], family: Family) -> Vec<String> {
        let ranges = union_of_ranges(blocks.iter(), family);
        let text = |(first, last): &(IpAddr, IpAddr)| format!("{first}-{last}");
        ranges.iter().map(text).collect()
    }

    #[test]
    fn exceptions_are_cut_out_and_neighbours_joined() {
        let blocks = [
            block(
                "10.0.0.0/8",
                &["10.1.0.0/16", "10.255.0.0/16", "192.168.0.0/16"],
            ),
            block("11.0.0.0/8", &[]),
            block("10.1.2.0/24", &[]),
            block("fd00::/8", &["fd00::/9"]),
        ];
        assert_eq!(
            texts(&blocks, Family::V4),
            [
                "10.0.0.0-10.0.255.255",
                "10.1.2.0-10.1.2.255",
                "10.2.0.0-10.254.255.255",
                "11.0.0.0-11.255.255.255",
            ]
        );
        assert_eq!(
            texts(&blocks, Family::V6),
            ["fd80::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]
        );
    }

    #[test]
    fn the_gateway_is_the_first_address() {
        for (range, gateway) in [
            ("10.244.2.0/24", "10.244.2.1"),
            ("fd00:10:244:2::/64", "fd00:10:244:2::1"),
        ] {
            let address = gateway_address(&range.parse().unwrap());
            assert_eq!(address.to_string(), gateway);
        }
    }

    #[test]
    fn the_whole_world_and_nothing_are_ranges() {
        assert_eq!(
            texts(&[block("0.0.0.0/0", &[])], Family::V4),
            ["0.0.0.0-255.255.255.255"]
        );
        assert!(texts(&[block("::/0", &["::/0"])], Family::V6).is_empty());
    }

    proptest! {
        #[test]
        fn ranges_hold_what_the_blocks_hold(
            blocks in prop::collection::vec(
                ((0u8..=31, 24u8..=32), prop::collection::vec((0u8..=31, 24u8..=32), 0..4)),
                0..5,
            ),
            probe in 0u8..=40,
        ) {
            let range = |(host, length): (u8, u8)| -> IpNet {
                IpNet::new(IpAddr::from([10, 0, 0, host]), length).unwrap().trunc()
            };
            let blocks: Vec<Block> = blocks
                .into_iter()
                .map(|(whole, except)| Block {
                    range: range(whole),
                    except: except.into_iter().map(range).collect(),
                })
                .collect();
            let probe = IpAddr::from([10, 0, 0, probe]);
            let ranges = union_of_ranges(blocks.iter(), Family::V4);
            let inside = ranges.iter().any(|(first, last)| *first <= probe && probe <= *last);
            prop_assert_eq!(inside, blocks.iter().any(|block| block.contains(&probe)));
            let ranges: Vec<_> = ranges.into_iter().collect();
            for pair in ranges.windows(2) {
                prop_assert!(address_number(pair[0].1) + 1 < address_number(pair[1].0));
            }
        }
    }
}
