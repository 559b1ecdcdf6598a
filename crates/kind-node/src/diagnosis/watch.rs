//! Watching what a start waits for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kind_diagnosis::{Check, Component, Severity, examine_exit, examine_lines};

use super::pods::{ContainerLog, find_logs};
use super::units::{self, Journal, read_journal};

/// Journals cost a program each time; most starts are over before.
const FIRST_JOURNAL_DELAY: Duration = Duration::from_secs(5);
const JOURNAL_INTERVAL: Duration = Duration::from_secs(3);
/// What a running component said before that may have healed.
const LATEST_LINES: usize = 20;
/// A container that ends this often for the same reason does so again.
const SAME_ENDS: u32 = 2;

/// Remembers how components ended so far.
pub(crate) struct Watch {
    pods: PathBuf,
    next_journals: Instant,
    /// For each container: its restarts when it was seen last, what it said, and how often it said so.
    seen: BTreeMap<String, (u32, String, u32)>,
    journals: Vec<Check>,
}

impl Watch {
    /// Begins with a node that starts now.
    pub(crate) fn new() -> Self {
        Self {
            pods: PathBuf::from("/var/log/pods"),
            next_journals: Instant::now() + FIRST_JOURNAL_DELAY,
            seen: BTreeMap::new(),
            journals: Vec::new(),
        }
    }

    /// What is in the way now, the worst first.
    pub(crate) fn find_causes(&mut self) -> Vec<Check> {
        if Instant::now() >= self.next_journals {
            self.read_journals();
        }
        self.collect()
    }

    /// The same with everything read anew, for a start that has failed.
    pub(crate) fn look_closely(&mut self) -> Vec<Check> {
        self.read_journals();
        self.collect()
    }

    fn read_journals(&mut self) {
        self.next_journals = Instant::now() + JOURNAL_INTERVAL;
        let units = units::UNITS.into_iter();
        self.journals = units
            .flat_map(|unit| judge_journal(unit, &read_journal(unit)))
            .collect();
    }

    fn collect(&mut self) -> Vec<Check> {
        let logs = find_logs(&self.pods);
        let mut checks: Vec<_> = logs.iter().flat_map(|log| self.judge_log(log)).collect();
        checks.extend(self.journals.iter().cloned());
        checks.sort_by_key(|check| (Reverse(check.severity), !check.is_known()));
        checks
    }

    fn judge_log(&mut self, log: &ContainerLog) -> Vec<Check> {
        let component = Component::new(&log.container);
        let lines: Vec<&str> = log.log.lines().collect();
        let latest = &lines[lines.len().saturating_sub(LATEST_LINES)..];
        let path = log.path.display().to_string();
        let mut checks = examine_lines(component, &path, latest.iter().copied());
        if log.restarts > 0 {
            checks.extend(self.judge_end(component, &path, log));
        }
        checks
    }

    fn judge_end(
        &mut self,
        component: Component<'_>,
        path: &str,
        log: &ContainerLog,
    ) -> Option<Check> {
        let mut check = examine_exit(component, path, &log.log)?;
        let seen = self.seen.entry(log.container.clone());
        let (restarts, said, times) = seen.or_insert((0, String::new(), 0));
        if *restarts != log.restarts {
            *times = if *said == check.found { *times + 1 } else { 1 };
            *restarts = log.restarts;
            said.clone_from(&check.found);
        }
        // What nobody knows may pass; the same end again and again does not.
        if !check.is_known() && *times < SAME_ENDS {
            check.severity = Severity::Warning;
        }
        Some(check)
    }
}

/// What is in the way by a unit's journal.
fn judge_journal(unit: &str, journal: &Journal) -> Vec<Check> {
    let component = Component::new(unit);
    let path = format!("journalctl -u {unit}");
    let lines = journal.current.iter().map(String::as_str);
    let mut checks = examine_lines(component, &path, lines);
    let Some(last) = journal.ended.last() else {
        return checks;
    };
    if let Some(mut check) = examine_exit(component, &path, last) {
        let again = |log: &&String| {
            let other = examine_exit(component, &path, log);
            other.is_some_and(|other| other.found == check.found)
        };
        let times = journal.ended.iter().rev().take_while(again).take(2).count();
        // Units are started again within a second, also while files are still being written that they read.
        if times < SAME_ENDS as usize {
            check.severity = Severity::Warning;
        }
        checks.push(check);
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(ended: &[&str], current: &[&str]) -> Journal {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Journal {
            current: own(current),
            ended: own(ended),
        }
    }

    fn restarted(restarts: u32, log: &str) -> ContainerLog {
        ContainerLog {
            container: "kube-scheduler".to_owned(),
            restarts,
            path: PathBuf::from("a.log"),
            log: log.to_owned(),
        }
    }

    #[test]
    fn an_unknown_end_counts_when_it_comes_again() {
        let mut watch = Watch::new();
        let mut severity = |restarts, log| {
            let checks = watch.judge_log(&restarted(restarts, log));
            checks[0].severity
        };
        assert_eq!(severity(1, "Error: a"), Severity::Warning);
        assert_eq!(
            severity(1, "Error: a"),
            Severity::Warning,
            "the same end was seen twice"
        );
        assert_eq!(severity(2, "Error: b"), Severity::Warning);
        assert_eq!(severity(3, "Error: b"), Severity::Error);
        assert_eq!(severity(4, "Error: unknown flag: --a"), Severity::Error);
        assert_eq!(severity(5, "Error: connection refused"), Severity::Warning);
        assert_eq!(severity(6, "Error: connection refused"), Severity::Warning);
    }

    #[test]
    fn a_running_component_tells_what_it_waits_for_now() {
        let mut watch = Watch::new();
        let waits = "W1 failed to connect to {Addr: \"1.2.3.4:2379\", }. Err: connection error: desc = \"a\"";
        let mut log = restarted(0, waits);
        "kube-apiserver".clone_into(&mut log.container);
        assert_eq!(watch.judge_log(&log)[0].id, "etcd-unreachable");
        log.log.push_str(&"\nI1 it goes on".repeat(LATEST_LINES));
        assert_eq!(watch.judge_log(&log), []);
    }

    #[test]
    fn a_unit_that_ends_again_and_again_is_told() {
        let failed = "E1 1 1 run.go:72] \"command failed\" err=\"odd\"";
        let once = judge_journal("kubelet", &journal(&[failed], &["well"]));
        assert_eq!(once[0].severity, Severity::Warning);
        let twice = judge_journal("kubelet", &journal(&[failed, failed], &[]));
        assert_eq!(
            (twice[0].severity, twice[0].found.as_str()),
            (Severity::Error, "odd")
        );
        assert_eq!(judge_journal("kubelet", &journal(&[], &["well"])), []);
        let line = "unknown service runtime.v1.RuntimeService";
        let running = judge_journal("kubelet", &journal(&[], &[line]));
        assert_eq!(running[0].id, "no-cri");
    }
}
