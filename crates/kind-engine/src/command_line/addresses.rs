//! Addresses that nodes keep for life: on a network with subnets that were asked for, a node has its
//! address before it first starts, and has it again after every restart.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

use ipnet::Ipv4Net;
use kind_net::pool;

use super::mutex::lock_mutex;
use super::network::Subnets;
use crate::Error;

/// The addresses that are spoken for, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    taken: BTreeSet<IpAddr>,
    /// Addresses by the nodes that they were chosen for.
    chosen: BTreeMap<String, Chosen>,
}

/// A node's addresses.
type Chosen = (Option<Ipv4Addr>, Option<Ipv6Addr>);

impl Addresses {
    /// An address of each family for a node. `in_use` tells once which are taken by others.
    ///
    /// The place where the search begins comes from the node's name: processes that do not know of
    /// each other choose different ones. Whoever asks again for a node hears the same.
    ///
    /// # Errors
    /// If none is left, and what `in_use` fails with.
    pub(super) fn choose_addresses(
        &self,
        node: &str,
        subnets: &Subnets,
        in_use: impl FnOnce() -> Result<BTreeSet<IpAddr>, Error>,
    ) -> Result<Chosen, Error> {
        let Some(subnet) = subnets.v4 else {
            return Ok((None, None));
        };
        let mut known = lock_mutex(&self.known);
        let known = match &mut *known {
            Some(known) => known,
            none => none.insert(Known {
                taken: in_use()?,
                ..Known::default()
            }),
        };
        if let Some(chosen) = known.chosen.get(node) {
            return Ok(*chosen);
        }
        let v4 = free_address(node, subnet, &known.taken)?;
        let v6 = subnets.v6.map(|v6| pool::matching_address(v6, subnet, v4));
        known.taken.insert(v4.into());
        known.chosen.insert(node.to_owned(), (Some(v4), v6));
        Ok((Some(v4), v6))
    }
}

/// A free address in the upper half of the subnet, below those that Services get.
fn free_address(node: &str, subnet: Ipv4Net, taken: &BTreeSet<IpAddr>) -> Result<Ipv4Addr, Error> {
    let first = u32::from(subnet.network());
    let broadcast = u32::from(subnet.broadcast());
    let end = match pool::service_range(subnet.into()) {
        Some((IpAddr::V4(services), _)) => u32::from(services) - 1,
        _ => broadcast,
    };
    let middle = first + (broadcast - first) / 2;
    let size = end.saturating_sub(middle + 1);
    let begin = hash_name(node) % size.max(1);
    (0..size)
        .map(|step| Ipv4Addr::from(middle + 1 + (begin + step) % size))
        .find(|address| !taken.contains(&IpAddr::V4(*address)))
        .ok_or_else(|| kind_net::Error::NoAddress(subnet.to_string()).into())
}

/// FNV-1a: the same everywhere and always.
fn hash_name(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnets(v4: &str) -> Subnets {
        Subnets {
            v4: Some(v4.parse().unwrap()),
            v6: Some("fc00:f853:ccd:e793::/64".parse().unwrap()),
            range: None,
        }
    }

    #[test]
    fn nodes_get_addresses_of_their_own_in_the_upper_half() {
        let addresses = Addresses::default();
        let subnets = subnets("172.18.0.0/16");
        let mut seen = BTreeSet::new();
        for number in 0..100 {
            let node = format!("kind-worker{number}");
            let (v4, v6) = addresses
                .choose_addresses(&node, &subnets, || Ok(BTreeSet::new()))
                .unwrap();
            let (v4, v6) = (v4.unwrap(), v6.unwrap());
            assert!((128..255).contains(&v4.octets()[2]), "{v4}");
            assert!(subnets.v6.unwrap().contains(&v6));
            assert!(seen.insert(v4));
        }
    }

    #[test]
    fn what_others_have_is_left_to_them_and_asked_once() {
        let addresses = Addresses::default();
        let subnets = subnets("10.89.0.0/29");
        let others: BTreeSet<IpAddr> = ["10.89.0.5".parse().unwrap()].into();
        let (v4, _) = addresses
            .choose_addresses("a", &subnets, || Ok(others))
            .unwrap();
        assert_ne!(v4.unwrap().to_string(), "10.89.0.5");
        let again = |node| addresses.choose_addresses(node, &subnets, || panic!("asked twice"));
        assert_ne!(again("b").unwrap().0, v4);
        assert_eq!(again("a").unwrap().0, v4);
        assert!(again("c").is_err());
    }

    #[test]
    fn a_network_without_ipv4_gives_none() {
        let chosen =
            Addresses::default().choose_addresses("a", &Subnets::default(), || Ok(BTreeSet::new()));
        assert_eq!(chosen.unwrap(), (None, None));
    }
}
