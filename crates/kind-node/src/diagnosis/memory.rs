//! Whether the kernel has killed programs because memory ran out. Who is killed says nothing of it.

use std::fs;

use kind_diagnosis::{Check, Component, Severity, examine_lines};

/// Counters of the kernel that nodes share with their machine.
const COUNTERS: &str = "/proc/vmstat";
/// One may have been anything of that machine.
const MANY: u64 = 2;

/// How many processes were killed since the machine has started; `None` where the kernel does not count.
pub(super) fn count_kills() -> Option<u64> {
    parse_kills(&fs::read_to_string(COUNTERS).ok()?)
}

fn parse_kills(counters: &str) -> Option<u64> {
    let mut lines = counters.lines();
    lines.find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// What is in the way of a start during which so many were killed. If something of the node was started again, it was
/// some of it.
pub(super) fn judge_kills(kills: u64, has_restarted: bool) -> Option<Check> {
    if kills == 0 {
        return None;
    }
    let line = format!("oom_kill {kills}");
    let checks = examine_lines(Component::new("kernel"), COUNTERS, [line.as_str()]);
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
        assert_eq!(parse_kills("pgfree 1\n"), None);
        assert!(count_kills().is_some());
    }

    #[test]
    fn what_was_killed_again_and_again_lacks_memory() {
        let severity = |kills, has_restarted| {
            let check = judge_kills(kills, has_restarted);
            check.map(|check| (check.id, check.severity))
        };
        let told = |severity| Some(("out-of-memory".to_owned(), severity));
        assert_eq!(severity(0, true), None);
        assert_eq!(severity(1, true), told(Severity::Warning));
        assert_eq!(severity(9, false), told(Severity::Warning));
        assert_eq!(severity(2, true), told(Severity::Error));
    }
}
