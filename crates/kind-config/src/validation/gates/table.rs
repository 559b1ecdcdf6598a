//! The feature gates that Kubernetes has had, by version.

use std::sync::LazyLock;

use crate::version::Version;

/// The versions for which the table has every gate.
pub(super) const COMPLETE: [(u64, u64); 2] = [(1, 20), (1, 36)];

/// A feature gate.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) name: &'static str,
    /// The first version that has it; `None` if all do that the table is about.
    pub(super) first: Option<Version>,
    /// What it cannot be changed from, and since when.
    pub(super) locked: Option<(bool, Version)>,
    /// The first version that does not have it any more.
    pub(super) gone: Option<Version>,
}

/// Every gate.
pub(super) fn known_gates() -> &'static [Gate] {
    static GATES: LazyLock<Vec<Gate>> = LazyLock::new(|| {
        let lines = include_str!("table.txt").lines();
        let entries = lines.filter(|line| !line.starts_with('#'));
        entries.filter_map(read_gate).collect()
    });
    &GATES
}

/// The gate of a name.
pub(super) fn find_gate(name: &str) -> Option<&'static Gate> {
    known_gates().iter().find(|gate| gate.name == name)
}

fn read_gate(line: &'static str) -> Option<Gate> {
    let mut words = line.split_whitespace();
    let mut gate = Gate {
        name: words.next()?,
        first: None,
        locked: None,
        gone: None,
    };
    for word in words {
        let (sign, rest) = word.split_at(1);
        match sign {
            "+" => gate.first = rest.parse().ok(),
            "-" => gate.gone = rest.parse().ok(),
            _ => gate.locked = read_lock(rest),
        }
    }
    Some(gate)
}

/// `VALUE@VERSION`
fn read_lock(text: &str) -> Option<(bool, Version)> {
    let (value, version) = text.split_once('@')?;
    Some((value.parse().ok()?, version.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_whole() {
        let gates = known_gates();
        assert!(gates.len() > 400, "{}", gates.len());
        for gate in gates {
            let line = include_str!("table.txt")
                .lines()
                .find(|line| line.split(' ').next() == Some(gate.name));
            let line = line.unwrap();
            assert_eq!(line.contains('+'), gate.first.is_some(), "{line}");
            assert_eq!(line.contains('='), gate.locked.is_some(), "{line}");
            assert_eq!(line.contains(" -"), gate.gone.is_some(), "{line}");
            if let (Some(first), Some(gone)) = (&gate.first, &gate.gone) {
                assert!(first < gone, "{line}");
            }
        }
    }

    #[test]
    fn names_stand_there_once() {
        let mut names: Vec<_> = known_gates().iter().map(|gate| gate.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
