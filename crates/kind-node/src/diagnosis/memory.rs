//! Whether the kernel has killed programs because memory ran out. Who is killed says nothing of it.

use std::fs;
use std::path::Path;

use kind_diagnosis::{Check, Component, Severity, examine_lines};

/// Counters of the node's own cgroup with all below it. Version 1 of cgroups counts for each alone, and a container's is
/// gone with it; the first cgroup of a machine has none.
const OF_NODE: &str = "/sys/fs/cgroup/memory.events";
/// Counters of the kernel that nodes share with their machine.
const OF_MACHINE: &str = "/proc/vmstat";
/// One may have been anything of a machine.
const MANY: u64 = 2;

/// How many processes were killed since their counter began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kills<'a> {
    counters: &'a Path,
    count: u64,
}

/// How many processes of the node were killed, or of its machine where nothing tells them apart; `None` where the kernel
/// does not count.
pub(super) fn count_kills() -> Option<Kills<'static>> {
    count_in([Path::new(OF_NODE), Path::new(OF_MACHINE)])
}

/// By the first of these that counts.
fn count_in<'a>(counters: [&'a Path; 2]) -> Option<Kills<'a>> {
    counters.into_iter().find_map(|counters| {
        let count = parse_kills(&fs::read_to_string(counters).ok()?)?;
        Some(Kills { counters, count })
    })
}

fn parse_kills(counters: &str) -> Option<u64> {
    let mut lines = counters.lines();
    lines.find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// What is in the way of a start with so many kills before it and now. If something of the node was started again, it was
/// some of it.
pub(super) fn judge_kills(before: Kills<'_>, now: Kills<'_>, has_restarted: bool) -> Option<Check> {
    let kills = now.count.saturating_sub(before.count);
    if kills == 0 || now.counters != before.counters {
        return None;
    }
    let line = format!("oom_kill {kills}");
    let path = now.counters.display().to_string();
    let checks = examine_lines(Component::new("kernel"), &path, [line.as_str()]);
    let mut check = checks.into_iter().next()?;
    if kills >= MANY && has_restarted {
        check.severity = Severity::Error;
    }
    Some(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_counted() {
        assert_eq!(parse_kills("pgfree 1\noom_kill 4\nnuma 0\n"), Some(4));
        let events = "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n";
        assert_eq!(parse_kills(events), Some(2));
        assert_eq!(parse_kills("pgfree 1\n"), None);
        assert!(count_kills().is_some());
    }

    #[test]
    fn kills_of_others_do_not_count_where_the_node_has_counters() {
        let directory = tempfile::tempdir().unwrap();
        let [node, machine] = ["memory.events", "vmstat"].map(|name| directory.path().join(name));
        fs::write(&machine, "oom_kill 9\n").unwrap();
        let count = || count_in([&node, &machine]).map(|kills| (kills.counters, kills.count));
        assert_eq!(count(), Some((machine.as_path(), 9)));
        fs::write(&node, "oom 0\noom_kill 1\n").unwrap();
        assert_eq!(count(), Some((node.as_path(), 1)));
    }

    #[test]
    fn what_was_killed_again_and_again_lacks_memory() {
        let kills = |path, count: u64| Kills {
            counters: Path::new(path),
            count,
        };
        let severity = |count: u64, has_restarted| {
            let check = judge_kills(kills("a", 3), kills("a", 3 + count), has_restarted);
            check.map(|check| (check.id, check.severity))
        };
        let told = |severity| Some(("out-of-memory".to_owned(), severity));
        assert_eq!(severity(0, true), None);
        assert_eq!(severity(1, true), told(Severity::Warning));
        assert_eq!(severity(9, false), told(Severity::Warning));
        assert_eq!(severity(2, true), told(Severity::Error));
        assert_eq!(judge_kills(kills("a", 0), kills("b", 9), true), None);
    }
}
