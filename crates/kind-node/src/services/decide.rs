//! Which addresses a Service keeps, and which node announces them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use super::cluster::Service;
use super::link::Ranges;
use crate::known::Key;
use crate::nft::Family;

/// What to do about a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// All is as it should be, or not ours.
    Leave,
    /// It is no longer ours: take its addresses from its status.
    Release,
    /// It is to have these addresses and one more of each of these families.
    Set {
        keep: Vec<IpAddr>,
        missing: Vec<Family>,
        announcer: String,
    },
}

/// Decides about a Service. `claimed` are addresses of other Services; `nodes` are the ones that may
/// announce it.
pub(super) fn decide(
    service: &Service,
    ranges: &Ranges,
    claimed: &BTreeSet<IpAddr>,
    nodes: &BTreeSet<&str>,
) -> Decision {
    if service.families.is_empty() {
        return match service.announcer {
            Some(_) => Decision::Release,
            None => Decision::Leave,
        };
    }
    let ours = |address: &&IpAddr| ranges.contain(address);
    if !service.addresses.is_empty() && !service.addresses.iter().any(|address| ours(&address)) {
        // Another load balancer serves it.
        return Decision::Leave;
    }
    let kept = |family: &Family| {
        let mut addresses = service.addresses.iter().filter(ours);
        let own =
            |address: &&IpAddr| Family::of(**address) == *family && !claimed.contains(address);
        addresses.find(own).copied()
    };
    let keep: Vec<IpAddr> = service.families.iter().filter_map(kept).collect();
    let missing = service.families.iter().copied();
    let missing: Vec<Family> = missing.filter(|family| kept(family).is_none()).collect();
    let announcer = announcer(service, nodes);
    if missing.is_empty()
        && keep == service.addresses
        && service.announcer.as_ref() == Some(&announcer)
    {
        return Decision::Leave;
    }
    Decision::Set {
        keep,
        missing,
        announcer,
    }
}

/// The node that announces a Service: the one that does, as long as it may. Otherwise Services spread over
/// the nodes. Empty if none may.
fn announcer(service: &Service, nodes: &BTreeSet<&str>) -> String {
    if let Some(current) = &service.announcer
        && nodes.contains(current.as_str())
    {
        return current.clone();
    }
    let chosen = nodes
        .iter()
        .max_by_key(|node| number(&(&service.uid, node)));
    chosen.map_or_else(String::new, |node| (*node).to_owned())
}

/// Addresses that a Service may get, the best first: the one it asks for, then all free ones from a
/// place of its own, so that clusters on the same network seldom want the same.
pub(super) fn candidates(
    service: &Service,
    family: Family,
    ranges: &Ranges,
    taken: &BTreeSet<IpAddr>,
) -> Vec<IpAddr> {
    let asked = service.requested.iter().copied();
    let asked = asked.filter(|address| Family::of(*address) == family && ranges.contain(address));
    let all = asked.chain(ranges.candidates(family, number(&service.uid)));
    all.filter(|address| !taken.contains(address)).collect()
}

/// All addresses that Services have.
pub(super) fn taken(services: &BTreeMap<Key, Service>) -> BTreeSet<IpAddr> {
    services
        .values()
        .flat_map(|service| &service.addresses)
        .copied()
        .collect()
}

fn number(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges() -> Ranges {
        let networks = ["172.18.0.2/16", "fc00::2/64"];
        Ranges::of(networks.iter().map(|text| text.parse().unwrap()))
    }

    fn service(addresses: &[&str], announcer: Option<&str>) -> Service {
        Service {
            uid: "1".into(),
            version: None,
            families: vec![Family::V4],
            requested: None,
            local: false,
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            announcer: announcer.map(str::to_owned),
        }
    }

    fn decided(service: &Service, claimed: &[&str], nodes: &[&str]) -> Decision {
        let claimed = claimed.iter().map(|text| text.parse().unwrap()).collect();
        decide(
            service,
            &ranges(),
            &claimed,
            &nodes.iter().copied().collect(),
        )
    }

    fn set(keep: &[&str], missing: &[Family], announcer: &str) -> Decision {
        Decision::Set {
            keep: keep.iter().map(|text| text.parse().unwrap()).collect(),
            missing: missing.to_vec(),
            announcer: announcer.to_owned(),
        }
    }

    #[test]
    fn a_service_keeps_its_address_and_its_node() {
        let mine = "172.18.255.9";
        assert_eq!(
            decided(&service(&[], None), &[], &["a"]),
            set(&[], &[Family::V4], "a")
        );
        assert_eq!(
            decided(&service(&[mine], Some("a")), &[], &["a", "b"]),
            Decision::Leave
        );
        assert_eq!(
            decided(&service(&[mine], Some("a")), &[], &["b"]),
            set(&[mine], &[], "b")
        );
        assert_eq!(
            decided(&service(&[mine], Some("a")), &[], &[]),
            set(&[mine], &[], "")
        );
        assert_eq!(
            decided(&service(&[mine], Some("a")), &[mine], &["a"]),
            set(&[], &[Family::V4], "a"),
            "of two with the same address one gets another"
        );
    }

    #[test]
    fn families_come_and_go() {
        let mut both = service(&["172.18.255.9"], Some("a"));
        both.families = vec![Family::V6, Family::V4];
        assert_eq!(
            decided(&both, &[], &["a"]),
            set(&["172.18.255.9"], &[Family::V6], "a")
        );
        let one = service(&["fc00::ff09", "172.18.255.9"], Some("a"));
        assert_eq!(decided(&one, &[], &["a"]), set(&["172.18.255.9"], &[], "a"));
    }

    #[test]
    fn what_is_not_ours_is_left_or_released() {
        let mut former = service(&["172.18.255.9"], Some("a"));
        former.families.clear();
        assert_eq!(decided(&former, &[], &["a"]), Decision::Release);
        former.announcer = None;
        assert_eq!(decided(&former, &[], &["a"]), Decision::Leave);
        let others = service(&["172.18.100.1"], Some("a"));
        assert_eq!(decided(&others, &[], &["b"]), Decision::Leave);
    }

    #[test]
    fn the_address_asked_for_comes_first_if_it_is_free() {
        let mut asking = service(&[], None);
        let wanted: IpAddr = "172.18.255.77".parse().unwrap();
        asking.requested = Some(wanted);
        let first = |taken: &[IpAddr]| {
            let taken = taken.iter().copied().collect();
            candidates(&asking, Family::V4, &ranges(), &taken)[0]
        };
        assert_eq!(first(&[]), wanted);
        assert_ne!(first(&[wanted]), wanted);
        assert!(ranges().contain(&candidates(&asking, Family::V6, &ranges(), &BTreeSet::new())[0]));
    }
}
