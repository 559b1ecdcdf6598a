//! Addresses that nodes keep for life: on a network with subnets that were asked for, a node has its
//! address before it first starts, and has it again after every restart.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

use ipnet::Ipv4Net;
use kind_net::pool;

use super::mutex::lock_mutex;
use super::network::Subnets;
use crate::{Error, Node};

/// Subnets with a longer prefix have so few addresses that two processes may choose the same.
const ROOMY_PREFIX: u8 = 20;

/// The addresses that are spoken for, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    taken: BTreeSet<IpAddr>,
    /// Names of the containers that have them.
    others: BTreeSet<String>,
    /// Addresses by the nodes that they were chosen for.
    chosen: BTreeMap<String, Chosen>,
    /// How many were given up again.
    given_up: u32,
}

impl Known {
    /// Whether the node had an address. It stays taken.
    fn give_up(&mut self, node: &str) -> bool {
        self.given_up += 1;
        self.chosen.remove(node).is_some()
    }

    fn note_others(&mut self, containers: &[Node]) {
        let addresses = containers.iter().flat_map(|container| {
            let v4 = container.ipv4.map(IpAddr::from);
            v4.into_iter().chain(container.ipv6.map(IpAddr::from))
        });
        self.taken.extend(addresses);
        let names = containers.iter().map(|container| container.name.clone());
        self.others.extend(names);
    }
}

/// A node's addresses.
type Chosen = (Option<Ipv4Addr>, Option<Ipv6Addr>);

impl Addresses {
    /// An address of each family for a node. `list_others` tells once which containers have some.
    ///
    /// The place where the search begins comes from the node's name: processes that do not know of
    /// each other choose different ones. Whoever asks again for a node hears the same.
    ///
    /// # Errors
    /// If none is left, and what `list_others` fails with.
    pub(super) fn choose_addresses(
        &self,
        node: &str,
        subnets: &Subnets,
        list_others: impl FnOnce() -> Result<Vec<Node>, Error>,
    ) -> Result<Chosen, Error> {
        let Some(subnet) = subnets.v4 else {
            return Ok((None, None));
        };
        let mut known = lock_mutex(&self.known);
        let known = match &mut *known {
            Some(known) => known,
            none => {
                let mut first = Known::default();
                first.note_others(&list_others()?);
                none.insert(first)
            }
        };
        if let Some(chosen) = known.chosen.get(node) {
            return Ok(*chosen);
        }
        // Whoever gave up the same one begins elsewhere too.
        let name = match known.given_up {
            0 => node.to_owned(),
            number => format!("{number}/{node}"),
        };
        let v4 = free_address(&name, subnet, &known.taken)?;
        let v6 = subnets.v6.map(|v6| pool::matching_address(v6, subnet, v4));
        known.taken.insert(v4.into());
        known.chosen.insert(node.to_owned(), (Some(v4), v6));
        Ok((Some(v4), v6))
    }

    /// Whether one of these containers may have been given an address since others' were asked for, by somebody else. Once
    /// addresses were given up, those who have given up theirs too have new ones under known names.
    pub(super) fn has_strangers<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        let known = lock_mutex(&self.known);
        let is_stranger = |name: &str| {
            let known = known.as_ref();
            known.is_none_or(|known| {
                let is_known = known.given_up == 0 && known.others.contains(name);
                !is_known && !known.chosen.contains_key(name)
            })
        };
        names.any(is_stranger)
    }

    /// Gives a node's address up if one of these containers has it too; whether it did. The next choice is another one.
    pub(super) fn give_up_contested(&self, node: &str, containers: &[Node]) -> bool {
        let mut known = lock_mutex(&self.known);
        let Some(known) = &mut *known else {
            return false;
        };
        let others = containers.iter().filter(|container| container.name != node);
        let others: Vec<_> = others.cloned().collect();
        let own = known.chosen.get(node).and_then(|(v4, _)| *v4);
        let contested = own.is_some() && others.iter().any(|other| other.ipv4 == own);
        if contested {
            known.note_others(&others);
            known.give_up(node);
        }
        contested
    }

    /// Gives a node's address up that the engine refuses to it; whether it had one. The next choice is another one.
    pub(super) fn give_up(&self, node: &str) -> bool {
        let mut known = lock_mutex(&self.known);
        known.as_mut().is_some_and(|known| known.give_up(node))
    }
}

/// Whether two processes may choose the same address there.
pub(super) fn is_crowded(subnets: &Subnets) -> bool {
    let v4 = subnets.v4;
    v4.is_some_and(|subnet| subnet.prefix_len() > ROOMY_PREFIX)
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
    use crate::command_line::{Flavor, listing};

    fn subnets(v4: &str) -> Subnets {
        Subnets {
            v4: Some(v4.parse().unwrap()),
            v6: Some("fc00:f853:ccd:e793::/64".parse().unwrap()),
            range: None,
        }
    }

    fn container(name: &str, ipv4: &str) -> Node {
        let text = format!(
            r#"[{{"Name":"/{name}","NetworkSettings":{{"Networks":{{"kind":{{"IPAddress":"{ipv4}"}}}}}}}}]"#
        );
        let mut containers = listing::parse_nodes(Flavor::Docker, &text).unwrap();
        containers.remove(0)
    }

    #[test]
    fn two_processes_that_choose_one_address_choose_others() {
        let processes = [Addresses::default(), Addresses::default()];
        let subnets = subnets("10.89.0.0/24");
        let choose = |process: &Addresses, node: &str| {
            let chosen = process.choose_addresses(node, &subnets, || Ok(Vec::new()));
            chosen.unwrap().0.unwrap().to_string()
        };
        let first = choose(&processes[0], "a");
        // A name that leads to the same address.
        let mut names = (0..10_000).map(|number| format!("b{number}"));
        let other = names.find(|name| choose(&Addresses::default(), name) == first);
        let other = other.unwrap();
        assert_eq!(choose(&processes[1], &other), first);
        let both = [container("a", &first), container(&other, &first)];
        for (process, node) in processes.iter().zip(["a", &other]) {
            assert!(process.has_strangers(both.iter().map(|node| node.name.as_str())));
            assert!(process.give_up_contested(node, &both));
        }
        assert!(processes[0].has_strangers([other.as_str()].into_iter()));
        let anew = [choose(&processes[0], "a"), choose(&processes[1], &other)];
        assert!(!anew.contains(&first));
        assert_ne!(anew[0], anew[1]);
        let moved = [container("a", &anew[0]), container(&other, &anew[1])];
        assert!(!processes[0].give_up_contested("a", &moved));
    }

    #[test]
    fn nodes_get_addresses_of_their_own_in_the_upper_half() {
        let addresses = Addresses::default();
        let subnets = subnets("172.18.0.0/16");
        let mut seen = BTreeSet::new();
        for number in 0..100 {
            let node = format!("kind-worker{number}");
            let (v4, v6) = addresses
                .choose_addresses(&node, &subnets, || Ok(Vec::new()))
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
        let others = vec![container("other", "10.89.0.5")];
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
            Addresses::default().choose_addresses("a", &Subnets::default(), || Ok(Vec::new()));
        assert_eq!(chosen.unwrap(), (None, None));
    }
}
