//! Watching what a start waits for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use kind_diagnosis::{
    Check, Component, Evidence, Severity, examine_exit, examine_lines, final_words,
};

use super::pods::{ContainerLog, find_logs};
use super::units::{self, Journal, read_journal};

/// Journals cost a program each time; most starts are over before.
const FIRST_JOURNAL_DELAY: Duration = Duration::from_secs(5);
const JOURNAL_INTERVAL: Duration = Duration::from_secs(3);
/// What a running component said before that may have healed.
const LATEST_LINES: usize = 20;
/// Components without which nothing goes on. The others can be mended in a cluster that runs, unless what they were
/// told is wrong.
const ESSENTIAL: [&str; 4] = ["containerd", "etcd", "kube-apiserver", "kubelet"];
/// What ends this often for the same reason that nobody knows does so again.
const UNKNOWN_ENDS: u32 = 3;
/// Units are started again within a second, also while files are still being written that they read.
const KNOWN_UNIT_ENDS: usize = 2;
const UNKNOWN_UNIT_ENDS: usize = 5;
/// Who has ended for want of these, after tries of its own, does not get them in its next life either.
const NOT_AWAITED: [&str; 1] = ["external-etcd"];

/// Remembers how components ended so far.
pub(crate) struct Watch {
    pods: PathBuf,
    began: SystemTime,
    next_journals: Instant,
    /// For each container: its restarts when it was seen last, what it said, and how often it said so.
    seen: BTreeMap<String, (u32, String, u32)>,
    /// What each unit said before it ended, when that was read last.
    last_ends: BTreeMap<&'static str, String>,
    /// The line that told first of each thing that a running component cannot do.
    first_attempts: BTreeMap<String, Vec<Evidence>>,
    journals: Vec<Check>,
}

impl Watch {
    /// Begins with a node that starts now.
    pub(crate) fn new() -> Self {
        Self::since(SystemTime::now())
    }

    /// Begins with what was said since a time.
    pub(crate) fn since(began: SystemTime) -> Self {
        Self {
            pods: PathBuf::from("/var/log/pods"),
            began,
            next_journals: Instant::now() + FIRST_JOURNAL_DELAY,
            seen: BTreeMap::new(),
            last_ends: BTreeMap::new(),
            first_attempts: BTreeMap::new(),
            journals: Vec::new(),
        }
    }

    /// What is in the way now, the worst first.
    pub(crate) fn find_causes(&mut self) -> Vec<Check> {
        if Instant::now() >= self.next_journals {
            self.read_journals(Self::judge_journal);
        }
        self.collect_checks()
    }

    /// The same for somebody who looks once.
    pub(crate) fn look_now(&mut self) -> Vec<Check> {
        self.read_journals(Self::judge_journal);
        self.collect_checks()
    }

    /// The same with everything read anew, for a start that has failed.
    pub(crate) fn look_closely(&mut self) -> Vec<Check> {
        self.read_journals(Self::judge_whole_journal);
        self.collect_checks()
    }

    fn read_journals(&mut self, judge: fn(&mut Self, &'static str, &Journal) -> Vec<Check>) {
        self.next_journals = Instant::now() + JOURNAL_INTERVAL;
        let (units, began) = (units::UNITS.into_iter(), self.began);
        self.journals = units
            .flat_map(|unit| judge(self, unit, &read_journal(unit, began)))
            .collect();
    }

    /// What is in the way by the journal of a unit that may go on: one that has run since its journal was read last
    /// does, whatever it ended of before.
    fn judge_journal(&mut self, unit: &'static str, journal: &Journal) -> Vec<Check> {
        let last = journal.ended.last().cloned().unwrap_or_default();
        let before = self.last_ends.insert(unit, last.clone());
        let ended_since = before.is_some_and(|before| before != last);
        if journal.current.is_empty() || ended_since {
            self.judge_whole_journal(unit, journal)
        } else {
            self.note_attempts(unit, &journal.current);
            self.judge_lines(unit, &journal_name(unit), &journal.current)
        }
    }

    /// The same, and why it ended before.
    fn judge_whole_journal(&mut self, unit: &'static str, journal: &Journal) -> Vec<Check> {
        self.note_attempts(unit, &journal.current);
        let mut checks = self.judge_lines(unit, &journal_name(unit), &journal.current);
        checks.extend(judge_ends(unit, &journal.ended));
        checks
    }

    fn collect_checks(&mut self) -> Vec<Check> {
        let logs = find_logs(&self.pods, self.began);
        let mut checks: Vec<_> = logs.iter().flat_map(|log| self.judge_log(log)).collect();
        checks.extend(self.journals.iter().cloned());
        drop_consequences(&mut checks);
        checks.sort_by_key(|check| (Reverse(check.severity), !check.is_known()));
        checks
    }

    fn judge_log(&mut self, log: &ContainerLog) -> Vec<Check> {
        let path = log.path.display().to_string();
        let lines: Vec<&str> = log.log.lines().collect();
        let mut checks = self.judge_lines(&log.container, &path, &lines);
        if log.restarts > 0 {
            give_up(&mut checks);
            checks.extend(self.judge_end(&path, log));
        }
        checks
    }

    /// What is in the way by what a component said lately. What it tries again and again is not given up after one try.
    fn judge_lines(&mut self, name: &str, path: &str, lines: &[impl AsRef<str>]) -> Vec<Check> {
        let latest = &lines[lines.len().saturating_sub(LATEST_LINES)..];
        let latest = latest.iter().map(AsRef::as_ref);
        let mut checks = examine_lines(Component::new(name), path, latest);
        for check in &mut checks {
            let first = self.first_attempts.entry(check.id.clone());
            if *first.or_insert_with(|| check.evidence.clone()) == check.evidence {
                check.severity = Severity::Warning;
            }
        }
        checks
    }

    /// Remembers what a unit tried first. A kubelet says so much that its first try is not among its latest lines when
    /// it is looked at.
    fn note_attempts(&mut self, unit: &'static str, lines: &[String]) {
        let earlier = &lines[..lines.len().saturating_sub(LATEST_LINES)];
        let earlier = earlier.iter().map(String::as_str);
        for check in examine_lines(Component::new(unit), &journal_name(unit), earlier) {
            let first = self.first_attempts.entry(check.id);
            first.or_insert(check.evidence);
        }
    }

    fn judge_end(&mut self, path: &str, log: &ContainerLog) -> Option<Check> {
        if !final_words(&log.log)?.is_end {
            // It runs again.
            return None;
        }
        let mut check = examine_exit(Component::new(&log.container), path, &log.log)?;
        let seen = self.seen.entry(log.container.clone());
        let (restarts, said, times) = seen.or_insert((0, String::new(), 0));
        if *restarts != log.restarts {
            *times = if *said == check.found { *times + 1 } else { 1 };
            *restarts = log.restarts;
            said.clone_from(&check.found);
        }
        // What nobody knows may pass; the same end again and again does not.
        let is_essential = ESSENTIAL.contains(&log.container.as_str());
        if !check.is_known() && (*times < UNKNOWN_ENDS || !is_essential) {
            check.severity = Severity::Warning;
        }
        Some(check)
    }
}

/// An API server that does not reach etcd is no news where it is known why etcd fails.
fn drop_consequences(checks: &mut Vec<Check>) {
    if checks.iter().any(|check| check.subject == "etcd") {
        checks.retain(|check| check.id != "etcd-unreachable");
    }
}

/// Takes what a component has not got in its last life either for what it will not get.
fn give_up(checks: &mut [Check]) {
    for check in checks {
        if NOT_AWAITED.contains(&check.id.as_str()) {
            check.severity = Severity::Error;
        }
    }
}

/// How people see a unit's journal.
fn journal_name(unit: &str) -> String {
    format!("journalctl -u {unit}")
}

/// Why a unit ends again and again.
fn judge_ends(unit: &str, ended: &[String]) -> Option<Check> {
    let (component, path) = (Component::new(unit), journal_name(unit));
    let mut check = examine_exit(component, &path, ended.last()?)?;
    let enough = if check.is_known() {
        KNOWN_UNIT_ENDS
    } else {
        UNKNOWN_UNIT_ENDS
    };
    let again = |log: &&String| {
        let other = examine_exit(component, &path, log);
        other.is_some_and(|other| other.found == check.found)
    };
    let times = ended.iter().rev().take_while(again).take(enough).count();
    if times < enough {
        check.severity = Severity::Warning;
    }
    Some(check)
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

    fn restarted(container: &str, restarts: u32, log: &str) -> ContainerLog {
        ContainerLog {
            container: container.to_owned(),
            restarts,
            path: PathBuf::from("a.log"),
            modified: SystemTime::now(),
            log: log.to_owned(),
        }
    }

    #[test]
    fn an_unknown_end_counts_when_it_comes_again() {
        let mut watch = Watch::new();
        let mut severity = |restarts, log| {
            let checks = watch.judge_log(&restarted("etcd", restarts, log));
            checks.first().map(|check| check.severity)
        };
        let (warning, error) = (Some(Severity::Warning), Some(Severity::Error));
        for _ in 0..3 {
            assert_eq!(severity(1, "Error: a"), warning, "one end, looked at often");
        }
        assert_eq!(severity(2, "Error: b"), warning);
        assert_eq!(severity(3, "Error: b"), warning);
        assert_eq!(severity(4, "Error: b"), error);
        assert_eq!(severity(5, "Error: unknown flag: --a"), error);
        for restarts in 6..9 {
            assert_eq!(severity(restarts, "Error: connection refused"), warning);
        }
        let runs = "E1128 22:02:56.6 1 a.go:1] \"x\" err=\"open /a: no such file or directory\"";
        assert_eq!(severity(9, runs), None, "it has not ended again");
    }

    #[test]
    fn what_a_cluster_can_do_without_for_a_while_does_not_end_its_creation() {
        let mut watch = Watch::new();
        let mut severity = |restarts, log| {
            let checks = watch.judge_log(&restarted("kube-scheduler", restarts, log));
            checks[0].severity
        };
        for restarts in 1..6 {
            assert_eq!(severity(restarts, "Error: odd"), Severity::Warning);
        }
        assert_eq!(
            severity(6, "Error: stat /a: no such file or directory"),
            Severity::Warning
        );
        assert_eq!(severity(7, "Error: unknown flag: --a"), Severity::Error);
    }

    #[test]
    fn one_try_is_not_the_last() {
        let mut watch = Watch::new();
        let line = |second| {
            format!(
                "E1 22:00:{second} 1 a.go:1] Error: MountVolume.SetUp failed for volume \"x\" pod \"etcd-a\" : \
                 hostPath type check failed: /x is not a file"
            )
        };
        let mut severity = |line: &str| {
            let checks = watch.judge_journal("kubelet", &journal(&[], &[line]));
            (checks[0].id.clone(), checks[0].severity)
        };
        let missing = |severity| ("volume-missing".to_owned(), severity);
        assert_eq!(severity(&line("01")), missing(Severity::Warning));
        assert_eq!(severity(&line("01")), missing(Severity::Warning));
        assert_eq!(severity(&line("02")), missing(Severity::Error));
    }

    #[test]
    fn a_second_try_is_one_whatever_was_said_since_the_first() {
        let failed = |second| {
            format!(
                "E1 22:00:{second} 1 a.go:1] Error: MountVolume.SetUp failed for volume \"x\" pod \"etcd-a\" : \
                 hostPath type check failed: /x is not a file"
            )
        };
        let mut lines = vec![failed("01")];
        lines.extend((0..LATEST_LINES).map(|line| format!("I1 {line}")));
        lines.push(failed("13"));
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let checks = Watch::new().judge_journal("kubelet", &journal(&[], &lines));
        assert_eq!(checks[0].severity, Severity::Error);
    }

    #[test]
    fn who_waits_for_etcd_is_no_news_where_etcd_fails() {
        let check = |subject: &str, id: &str| {
            let log = restarted(subject, 1, "Error: unknown flag: --a");
            let mut checks = Watch::new().judge_log(&log);
            let mut check = checks.remove(0);
            check.id = id.to_owned();
            check
        };
        let waits = check("kube-apiserver", "etcd-unreachable");
        let fails = check("etcd", "unknown-flag");
        let kept = |mut checks: Vec<Check>| {
            drop_consequences(&mut checks);
            checks.len()
        };
        assert_eq!(kept(vec![waits.clone()]), 1);
        assert_eq!(kept(vec![waits, fails]), 1);
    }

    #[test]
    fn a_running_component_tells_what_it_waits_for_now() {
        let mut watch = Watch::new();
        let waits = "W1 failed to connect to {Addr: \"127.0.0.1:2379\", }. Err: connection error: desc = \"a\"";
        let mut log = restarted("kube-apiserver", 0, waits);
        assert_eq!(watch.judge_log(&log)[0].id, "etcd-unreachable");
        log.log.push_str(&"\nI1 it goes on".repeat(LATEST_LINES));
        assert_eq!(watch.judge_log(&log), []);
    }

    #[test]
    fn an_etcd_outside_that_is_not_there_in_a_second_life_is_given_up() {
        let waits = |address| {
            format!(
                "W1 failed to connect to {{Addr: \"{address}:2379\", }}. Err: connection error: desc = \"connection refused\""
            )
        };
        let judge = |restarts, address| {
            let log = restarted("kube-apiserver", restarts, &waits(address));
            Watch::new().judge_log(&log)[0].severity
        };
        assert_eq!(judge(0, "192.0.2.1"), Severity::Warning);
        assert_eq!(judge(1, "192.0.2.1"), Severity::Error);
        assert_eq!(judge(1, "127.0.0.1"), Severity::Warning);
    }

    #[test]
    fn a_unit_that_ends_again_and_again_is_told() {
        let odd = "E1 1 1 run.go:72] \"command failed\" err=\"odd\"";
        let flag = "E1 1 1 run.go:72] \"command failed\" err=\"unknown flag: --a\"";
        let severity = |ended: &[&str]| {
            let checks = Watch::new().judge_journal("kubelet", &journal(ended, &[]));
            checks[0].severity
        };
        assert_eq!(severity(&[flag]), Severity::Warning);
        assert_eq!(severity(&[odd, flag]), Severity::Warning);
        assert_eq!(severity(&[flag, flag]), Severity::Error);
        assert_eq!(severity(&[odd; 4]), Severity::Warning);
        assert_eq!(severity(&[odd; 5]), Severity::Error);
        let unwritten = "E1 1 1 run.go:72] \"command failed\" err=\"open /var/lib/kubelet/config.yaml: no such file or directory\"";
        assert_eq!(severity(&[unwritten; 9]), Severity::Warning);
    }

    #[test]
    fn a_unit_that_runs_on_has_healed() {
        let flag =
            |pid| format!("E1 1 {pid} run.go:72] \"command failed\" err=\"unknown flag: --a\"");
        let (one, two, three) = (flag(1), flag(2), flag(3));
        let mut watch = Watch::new();
        let mut judge = |ended: &[&str]| watch.judge_journal("kubelet", &journal(ended, &["well"]));
        assert_eq!(judge(&[&one, &two]), [], "it may run, or be about to end");
        assert_eq!(judge(&[&one, &two]), []);
        assert_eq!(judge(&[&one, &two, &three])[0].severity, Severity::Error);
        let failed = watch.judge_whole_journal("kubelet", &journal(&[&one], &["well"]));
        assert_eq!(failed[0].severity, Severity::Warning);
        let line = "unknown service runtime.v1.RuntimeService";
        let running = watch.judge_journal("kubelet", &journal(&[], &[line]));
        assert_eq!(running[0].id, "no-cri");
    }
}
