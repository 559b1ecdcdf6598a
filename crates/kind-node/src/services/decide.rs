//! Which addresses a Service keeps, and which node announces them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use super::backends::Backends;
use super::cluster::{Places, Service};
use super::link::Ranges;
use crate::kubernetes::store::Key;
use crate::nft::Family;

/// What to do about a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// All is as it should be, or not ours.
    Leave,
    /// It is no longer ours: take its addresses from its status, by which nodes stop to announce them.
    TakeBack,
    /// That was done: it may go.
    LetGo,
    /// It is to have these addresses and one more of each of these families.
    Set {
        keep: Vec<IpAddr>,
        missing: Vec<Family>,
        announcer: String,
        shared_by: Option<Backends>,
    },
}

/// What a decision is made of, beside the Service itself.
pub(super) struct Circumstances<'a> {
    /// The addresses that are for Services.
    pub(super) ranges: &'a Ranges,
    /// Addresses of other Services.
    pub(super) claimed: &'a BTreeSet<IpAddr>,
    /// The nodes that may announce addresses, with their own.
    pub(super) nodes: &'a BTreeMap<&'a str, &'a [IpAddr]>,
    /// Where the Service has pods that are ready, of all nodes.
    pub(super) places: &'a Places,
    /// A node can hand on what is for its address.
    pub(super) can_share: bool,
}

/// Decides about a Service.
pub(super) fn decide_address(service: &Service, circumstances: &Circumstances<'_>) -> Decision {
    let ours = |address: &&IpAddr| circumstances.ranges.contain(address);
    let of_others =
        !service.addresses.is_empty() && !service.addresses.iter().any(|address| ours(&address));
    if service.families.is_empty() {
        return release_address(service, of_others);
    }
    if of_others {
        // Another load balancer serves it.
        return Decision::Leave;
    }
    let kept = |family: &Family| {
        let mut addresses = service.addresses.iter().filter(ours);
        let own = |address: &&IpAddr| {
            Family::of_address(**address) == *family && !circumstances.claimed.contains(address)
        };
        addresses.find(own).copied()
    };
    let keep: Vec<IpAddr> = service.families.iter().filter_map(kept).collect();
    let missing = service.families.iter().copied();
    let missing: Vec<Family> = missing.filter(|family| kept(family).is_none()).collect();
    let announcer = choose_announcer(service, circumstances);
    let shared_by = shared_by(service, circumstances);
    if missing.is_empty()
        && keep == service.addresses
        && service.announcer.as_ref() == Some(&announcer)
        && service.shared_by == shared_by
        && service.has_cleanup()
    {
        return Decision::Leave;
    }
    Decision::Set {
        keep,
        missing,
        announcer,
        shared_by,
    }
}

/// First the addresses go, then what keeps the Service.
fn release_address(service: &Service, of_others: bool) -> Decision {
    let is_announced = service.announcer.is_some() || !service.addresses.is_empty();
    match (is_announced, service.announcer.is_none() && of_others) {
        (_, true) => Decision::Leave,
        (true, false) => Decision::TakeBack,
        (false, false) if service.has_cleanup() => Decision::LetGo,
        (false, false) => Decision::Leave,
    }
}

/// The node that announces a Service: the one that does, as long as it may. Otherwise the one with most of
/// its pods if that matters, and Services spread over the nodes. Empty if none may.
fn choose_announcer(service: &Service, circumstances: &Circumstances<'_>) -> String {
    let pods = |node: &str| {
        if service.local {
            circumstances.places.get(node).copied().unwrap_or(0)
        } else {
            0
        }
    };
    // Without handing on, whatever arrives elsewhere is lost.
    let may = |node: &str| !service.local || circumstances.can_share || pods(node) > 0;
    let nodes = circumstances.nodes.keys().filter(|node| may(node));
    if let Some(current) = &service.announcer
        && circumstances.nodes.contains_key(current.as_str())
        && may(current)
    {
        return current.clone();
    }
    let chosen = nodes.max_by_key(|node| (pods(node), hash_of(&(&service.uid, node))));
    chosen.map_or_else(String::new, |node| (*node).to_owned())
}

/// The nodes that share a Service's traffic, where one has to care.
fn shared_by(service: &Service, circumstances: &Circumstances<'_>) -> Option<Backends> {
    if !service.local || !circumstances.can_share {
        return None;
    }
    let places = circumstances.places.iter();
    let backends = places.flat_map(|(node, pods)| {
        let addresses = circumstances.nodes.get(node.as_str());
        let addresses = addresses.copied().unwrap_or_default().iter();
        addresses.map(|address| (*address, *pods))
    });
    let backends = Backends::new(backends);
    (!backends.is_empty()).then_some(backends)
}

/// Addresses that a Service may get, the best first: the one it asks for, then all free ones from a
/// place of its own, so that clusters on the same network seldom want the same.
pub(super) fn candidate_nodes(
    service: &Service,
    family: Family,
    ranges: &Ranges,
    taken: &BTreeSet<IpAddr>,
) -> Vec<IpAddr> {
    let asked = service.requested.iter().copied();
    let asked =
        asked.filter(|address| Family::of_address(*address) == family && ranges.contain(address));
    let all = asked.chain(ranges.candidates(family, hash_of(&service.uid)));
    all.filter(|address| !taken.contains(address)).collect()
}

/// All addresses that Services have.
pub(super) fn taken_addresses(services: &BTreeMap<Key, Service>) -> BTreeSet<IpAddr> {
    services
        .values()
        .flat_map(|service| &service.addresses)
        .copied()
        .collect()
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::cluster::CLEANUP;
    use super::*;

    fn ranges() -> Ranges {
        let networks = ["172.18.0.2/16", "fc00::2/64"];
        Ranges::of_addresses(networks.iter().map(|text| text.parse().unwrap()))
    }

    fn service(addresses: &[&str], announcer: Option<&str>) -> Service {
        Service {
            uid: "1".into(),
            version: None,
            families: vec![Family::V4],
            requested: None,
            local: false,
            sticky: false,
            ports: BTreeSet::new(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            announcer: announcer.map(str::to_owned),
            shared_by: None,
            finalizers: vec![CLEANUP.to_owned()],
        }
    }

    fn set(keep: &[&str], missing: &[Family], announcer: &str) -> Decision {
        Decision::Set {
            keep: keep.iter().map(|text| text.parse().unwrap()).collect(),
            missing: missing.to_vec(),
            announcer: announcer.to_owned(),
            shared_by: None,
        }
    }

    fn decided(service: &Service, claimed: &[&str], nodes: &[&str]) -> Decision {
        let claimed = claimed.iter().map(|text| text.parse().unwrap()).collect();
        decided_with(service, &claimed, (nodes, &[], true))
    }

    /// Node `a` has the address 172.18.0.97, and so on.
    fn decided_with(
        service: &Service,
        claimed: &BTreeSet<IpAddr>,
        (nodes, places, can_share): (&[&str], &[(&str, u32)], bool),
    ) -> Decision {
        let address = |node: &str| [IpAddr::from([172, 18, 0, node.as_bytes()[0]])];
        let addresses: Vec<_> = nodes.iter().map(|node| (*node, address(node))).collect();
        let nodes = addresses.iter().map(|(node, own)| (*node, &own[..]));
        let places = places
            .iter()
            .map(|(node, pods)| ((*node).to_owned(), *pods));
        decide_address(
            service,
            &Circumstances {
                ranges: &ranges(),
                claimed,
                nodes: &nodes.collect(),
                places: &places.collect(),
                can_share,
            },
        )
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
        assert_eq!(decided(&former, &[], &["a"]), Decision::TakeBack);
        former.announcer = None;
        assert_eq!(decided(&former, &[], &["a"]), Decision::TakeBack);
        former.addresses.clear();
        assert_eq!(decided(&former, &[], &["a"]), Decision::LetGo);
        former.finalizers = vec!["example.org/other".into()];
        assert_eq!(decided(&former, &[], &["a"]), Decision::Leave);
        let mut others = service(&["172.18.100.1"], Some("a"));
        assert_eq!(decided(&others, &[], &["b"]), Decision::Leave);
        others.announcer = None;
        others.families.clear();
        assert_eq!(decided(&others, &[], &["b"]), Decision::Leave);
    }

    #[test]
    fn an_address_is_not_given_without_what_holds_the_service_until_it_is_taken_back() {
        let mut old = service(&["172.18.255.9"], Some("a"));
        old.finalizers.clear();
        assert_eq!(decided(&old, &[], &["a"]), set(&["172.18.255.9"], &[], "a"));
    }

    fn local(announcer: &str, shared_by: &str) -> Service {
        let mut service = service(&["172.18.255.9"], Some(announcer));
        service.local = true;
        let shared_by: Backends = shared_by.parse().unwrap();
        service.shared_by = (!shared_by.is_empty()).then_some(shared_by);
        service
    }

    /// Who announces and who shares then; nothing if all stays.
    fn shared(
        service: &Service,
        nodes: &[&str],
        places: &[(&str, u32)],
        can_share: bool,
    ) -> Option<(String, String)> {
        match decided_with(service, &BTreeSet::new(), (nodes, places, can_share)) {
            Decision::Set {
                announcer,
                shared_by,
                ..
            } => Some((announcer, shared_by.unwrap_or_default().to_string())),
            Decision::Leave => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nodes_with_pods_share_a_service_that_keeps_its_clients_addresses() {
        let all = ["a", "b", "c"];
        let pods = [("a", 1), ("b", 3), ("gone", 9)];
        let told = |announcer: &str, shared_by: &str| Some((announcer.into(), shared_by.into()));
        let both = "172.18.0.97=1,172.18.0.98=3";
        assert_eq!(shared(&local("", ""), &all, &pods, true), told("b", both));
        assert_eq!(shared(&local("a", ""), &all, &pods, true), told("a", both));
        assert_eq!(shared(&local("c", both), &all, &pods, true), None);
        let without_a = told("c", "172.18.0.98=3");
        assert_eq!(
            shared(&local("c", both), &["b", "c"], &pods, true),
            without_a
        );
        assert_eq!(shared(&local("c", both), &all, &[], true), told("c", ""));
    }

    #[test]
    fn without_sharing_a_node_with_pods_announces() {
        let all = ["a", "b", "c"];
        let pods = [("a", 1), ("b", 3)];
        let told = |announcer: &str| Some((announcer.to_owned(), String::new()));
        assert_eq!(shared(&local("", ""), &all, &pods, false), told("b"));
        assert_eq!(shared(&local("a", ""), &all, &pods, false), None);
        assert_eq!(shared(&local("c", ""), &all, &pods, false), told("b"));
        assert_eq!(shared(&local("a", ""), &all, &[], false), told(""));
    }

    #[test]
    fn the_address_asked_for_comes_first_if_it_is_free() {
        let mut asking = service(&[], None);
        let wanted: IpAddr = "172.18.255.77".parse().unwrap();
        asking.requested = Some(wanted);
        let first = |taken: &[IpAddr]| {
            let taken = taken.iter().copied().collect();
            candidate_nodes(&asking, Family::V4, &ranges(), &taken)[0]
        };
        assert_eq!(first(&[]), wanted);
        assert_ne!(first(&[wanted]), wanted);
        assert!(
            ranges().contain(&candidate_nodes(&asking, Family::V6, &ranges(), &BTreeSet::new())[0])
        );
    }
}
