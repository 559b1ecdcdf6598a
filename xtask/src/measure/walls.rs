//! Walls between the rooms of a crate: which modules may use which others.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::imports::find_uses;
use super::source::Source;

/// A module whose own modules are rooms.
pub(super) struct House {
    /// The package that it is in.
    pub(super) package: &'static str,
    /// The module; nothing for the roots of the package's crates.
    pub(super) module: &'static [&'static str],
    /// Every room, and the rooms that it may use. Whoever is not named may be used by nobody.
    pub(super) rooms: &'static [(&'static str, &'static [&'static str])],
}

/// The houses of this workspace.
pub(super) const HOUSES: [House; 2] = [
    House {
        package: "kind-node",
        module: &[],
        rooms: &[
            // What a node and its caller agree on, for the library too.
            ("cni", &[]),
            ("corefile", &[]),
            ("examination", &[]),
            ("load_balancer", &[]),
            ("request", &[]),
            // What several rooms stand on, or may come to.
            ("diagnosis", &[]),
            ("kubernetes", &[]),
            ("mutex", &[]),
            ("nft", &[]),
            ("pod_addresses", &[]),
            ("restricted_pods", &["nft", "pod_addresses"]),
            ("signals", &[]),
            ("unpack", &[]),
            ("usage", &[]),
            // Programs.
            ("balancer", &["kubernetes", "mutex", "signals"]),
            ("boot", &["restricted_pods", "unpack", "usage"]),
            ("bootstrap", &["kubernetes", "pod_addresses", "usage"]),
            ("channel", &["diagnosis", "mutex", "unpack", "usage"]),
            ("crictl", &[]),
            ("dns", &["kubernetes", "mutex", "signals"]),
            ("examine", &["diagnosis", "kubernetes", "usage"]),
            (
                "network",
                &[
                    "kubernetes",
                    "nft",
                    "pod_addresses",
                    "restricted_pods",
                    "signals",
                ],
            ),
            ("pause", &[]),
            ("services", &["kubernetes", "nft", "signals"]),
            ("storage", &["kubernetes", "signals"]),
            // What fuzz targets reach of them.
            ("fuzzing", &["crictl", "dns"]),
        ],
    },
    House {
        package: "kind-engine",
        module: &["native"],
        rooms: &[
            // What is used in more than one process.
            ("call", &["state"]),
            ("cgroups", &["state"]),
            ("containerd", &[]),
            ("hosts", &["record", "state"]),
            ("last_words", &["state"]),
            ("network", &["record", "state"]),
            ("ports", &["record"]),
            ("record", &["last_words", "state"]),
            ("state", &[]),
            ("teardown", &["cgroups", "network", "state"]),
            // The processes.
            ("caller", SHARED),
            ("helper", SHARED),
            ("monitor", SHARED),
            // Where a process becomes one of them.
            ("entry", &["call", "helper", "monitor", "state"]),
        ],
    },
];

/// What every process of the native engine may use; none may use another one's.
const SHARED: &[&str] = &[
    "call",
    "cgroups",
    "containerd",
    "hosts",
    "network",
    "ports",
    "record",
    "state",
    "teardown",
];

/// A use that goes through a wall.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) user: PathBuf,
    pub(super) used: PathBuf,
    /// A path in the user's code.
    pub(super) words: String,
}

/// Finds the uses in a crate that go through walls of a house. The house itself, which has rooms and no room, may
/// use all of them; tests may use anything.
pub(super) fn find_breaches(house: &House, sources: &[Source]) -> Vec<Breach> {
    let rooms: BTreeMap<_, _> = house.rooms.iter().copied().collect();
    let room = |file: usize| room_of(house, &sources[file]);
    let is_breach = |user: usize, used: usize| match (room(user), room(used)) {
        (Some(user), Some(used)) if user != used => {
            let allowed = rooms.get(user).copied().unwrap_or_default();
            !rooms.contains_key(used) || !allowed.contains(&used)
        }
        _ => false,
    };
    let breaches = find_uses(sources).into_iter();
    breaches
        .filter(|((user, used), _)| !sources[*user].is_test && is_breach(*user, *used))
        .map(|((user, used), words)| Breach {
            user: sources[user].path.clone(),
            used: sources[used].path.clone(),
            words,
        })
        .collect()
}

/// The room that a file is in.
fn room_of<'a>(house: &House, source: &'a Source) -> Option<&'a str> {
    let mut words = source.module.iter().map(String::as_str);
    let is_inside = house.module.iter().all(|word| words.next() == Some(*word));
    words.next().filter(|_| is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::Sources;

    const HOUSE: House = House {
        package: "kind",
        module: &["house"],
        rooms: &[("a", &["low"]), ("b", &["low"]), ("low", &[])],
    };

    #[test]
    fn only_what_is_allowed_goes_from_room_to_room() {
        let files = Sources::new(&[
            ("lib.rs", "mod house; mod other;"),
            (
                "house/mod.rs",
                "mod a; mod b; mod low; mod new; use a::A; use b::B;",
            ),
            (
                "house/a/mod.rs",
                "mod deep; use super::low::Low; use crate::other::X; pub struct A;",
            ),
            (
                "house/a/deep.rs",
                "use super::A; use crate::house::b::B; #[cfg(test)] use crate::house::new::New;",
            ),
            ("house/b.rs", "pub struct B; use super::new::New;"),
            ("house/low.rs", "pub struct Low;"),
            ("house/new.rs", "pub struct New;"),
            ("other.rs", "pub struct X;"),
        ]);
        let found = find_breaches(&HOUSE, &files.read());
        let place = |path: &str| files.root().join("house").join(path);
        let breach = |user, used, words: &str| Breach {
            user: place(user),
            used: place(used),
            words: words.to_owned(),
        };
        let expected = [
            breach("a/deep.rs", "b.rs", "crate::house::b::B"),
            breach("b.rs", "new.rs", "super::new::New"),
        ];
        assert_eq!(found, expected);
    }
}
