//! The nodes that share the traffic of one Service.
//!
//! A Service that wants its clients' addresses kept (`externalTrafficPolicy: Local`) is served only by
//! pods of the node where its traffic arrives. The node that announces the address hands connections on
//! to all nodes with such pods, each as often as it has pods: [`Backends::buckets`] deals a fixed number of
//! buckets out to the nodes, and every connection falls into one ([`super::share`]). A node that comes or
//! goes takes only what becomes its own, or leaves only what was.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::nft::{Family, SPREAD};

/// Nodes, by an address of each in every family, with their weights. As a text, which stands in the
/// annotation [`super::cluster::SHARED_BY`]: `172.18.0.3=2,172.18.0.4=1`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Backends(BTreeMap<IpAddr, u32>);

/// More pods on a node than that make no difference.
const MAX_WEIGHT: u32 = 1000;
/// Nobody has clusters of more nodes.
const MAX_NODES: usize = 1000;

impl Backends {
    /// Takes these nodes.
    pub(super) fn new(nodes: impl IntoIterator<Item = (IpAddr, u32)>) -> Self {
        let nodes = nodes.into_iter().filter(|(_, weight)| *weight > 0);
        let nodes = nodes.map(|(address, weight)| (address, weight.min(MAX_WEIGHT)));
        Self(nodes.take(MAX_NODES).collect())
    }

    /// Tells whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The node of that family for each bucket; none if no node has an address of it.
    pub(super) fn buckets(&self, family: Family) -> Vec<IpAddr> {
        let nodes = self.0.iter();
        let nodes: Vec<_> = nodes
            .filter(|(address, _)| Family::of_address(**address) == family)
            .collect();
        (0..SPREAD)
            .filter_map(|bucket| {
                let chosen = nodes.iter().max_by(|(one, weight), (other, other_weight)| {
                    rendezvous_score(bucket, **one, **weight).total_cmp(&rendezvous_score(
                        bucket,
                        **other,
                        **other_weight,
                    ))
                });
                chosen.map(|(address, _)| **address)
            })
            .collect()
    }
}

/// How much a node wants a bucket: rendezvous hashing with weights.
fn rendezvous_score(bucket: u32, address: IpAddr, weight: u32) -> f64 {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    // FNV-1a and a last mix, the same in every version of this program: two nodes must agree.
    let bytes = bucket.to_be_bytes().into_iter().chain(octets);
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    let top = u32::try_from(hash >> 32).unwrap_or(u32::MAX);
    let uniform = (f64::from(top) + 0.5) / (f64::from(u32::MAX) + 1.0);
    -f64::from(weight) / uniform.ln()
}

impl fmt::Display for Backends {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (address, weight)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{address}={weight}")?;
        }
        Ok(())
    }
}

impl FromStr for Backends {
    type Err = Infallible;

    /// Reads such a text; anyone may have written it, so what is no node is left out.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let nodes = text.split(',').filter_map(|node| {
            let (address, weight) = node.split_once('=')?;
            Some((address.parse().ok()?, weight.parse().ok()?))
        });
        Ok(Self::new(nodes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backends(text: &str) -> Backends {
        text.parse().unwrap()
    }

    fn count(buckets: &[IpAddr], address: &str) -> usize {
        let address: IpAddr = address.parse().unwrap();
        buckets.iter().filter(|one| **one == address).count()
    }

    #[test]
    fn texts_are_read_and_written() {
        for (text, read) in [
            ("172.18.0.3=2,172.18.0.4=1", "172.18.0.3=2,172.18.0.4=1"),
            (
                "172.18.0.4=1,fc00::3=7,172.18.0.3=0",
                "172.18.0.4=1,fc00::3=7",
            ),
            ("172.18.0.4=5000", "172.18.0.4=1000"),
            ("", ""),
            (
                "node=1,172.18.0.4,172.18.0.5=-1,=,172.18.0.6=99999999999",
                "",
            ),
        ] {
            assert_eq!(backends(text).to_string(), read, "{text}");
        }
    }

    #[test]
    fn nodes_get_buckets_by_their_weights() {
        let found = backends("172.18.0.2=2,172.18.0.3=1,172.18.0.4=1,fc00::3=1");
        let buckets = found.buckets(Family::V4);
        assert_eq!(buckets.len(), 256);
        let counts = ["172.18.0.2", "172.18.0.3", "172.18.0.4"].map(|one| count(&buckets, one));
        assert!((100..156).contains(&counts[0]), "{counts:?}");
        assert!(
            counts[1..].iter().all(|one| (40..88).contains(one)),
            "{counts:?}"
        );
        assert_eq!(count(&found.buckets(Family::V6), "fc00::3"), 256);
        assert!(backends("172.18.0.2=1").buckets(Family::V6).is_empty());
    }

    proptest! {
        #[test]
        fn a_node_that_goes_leaves_the_others_buckets_alone(
            nodes in proptest::collection::btree_map(2u8..250, 1u32..9, 2..8),
        ) {
            let all = || nodes.iter().map(|(number, weight)| (IpAddr::from([172, 18, 0, *number]), *weight));
            let before = Backends::new(all()).buckets(Family::V4);
            let gone = all().next().unwrap().0;
            let after = Backends::new(all().skip(1)).buckets(Family::V4);
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(before == after || *before == gone);
                prop_assert!(*after != gone);
            }
        }

        #[test]
        fn any_text_is_read(text in ".{0,60}") {
            let found = backends(&text);
            prop_assert_eq!(backends(&found.to_string()), found);
        }
    }
}
