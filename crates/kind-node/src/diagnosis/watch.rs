//! Watching what a start waits for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use kind_diagnosis::{
    Check, Component, Evidence, Severity, examine_exit, examine_lines, final_words, is_certain,
};

use super::last_error::find_last_error;
use super::memory::{Kills, count_kills, judge_kills};
use super::pods::{ContainerLog, find_logs};
use super::unit_ends::judge_ends;
use super::units::{self, Journal, journal_name, read_journal};

/// Journals cost a program each time; most starts are over before.
const FIRST_JOURNAL_DELAY: Duration = Duration::from_secs(5);
const JOURNAL_INTERVAL: Duration = Duration::from_secs(3);
/// What a running component said before that may have healed.
const LATEST_LINES: usize = 20;
/// What ends this often, one time after the other, for the same reason that nobody knows does so again. The kubelet pauses
/// ten seconds and more before a third time.
const UNKNOWN_ENDS: u32 = 2;
/// Who has ended for want of these, after tries of its own, does not get them in its next life either.
const NOT_AWAITED: [&str; 1] = ["external-etcd"];

/// Where kubeadm writes the control plane's static pods. A node without any does without the directory of its kubelet.
const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// How an etcd says that it serves; before 3.5 in other words.
const SERVES: [&str; 2] = ["serving client", "ready to serve client requests"];
/// An API server tries again every few seconds.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(6);
/// A healthy API server begins before etcd serves, on a busy machine long before.
const REFUSAL_DELAY: Duration = Duration::from_secs(15);
const UNREACHED: &str = "etcd-unreachable";
const WRONG_WAY: &str = "take `etcd-servers`, `etcd-cafile` and the like out of `apiServer.extraArgs` of ClusterConfiguration, and \
     `listen-client-urls` out of `etcd.local.extraArgs`; certificates of your own must be of one authority";

/// Remembers how components ended so far.
pub(crate) struct Watch {
    pods: PathBuf,
    began: SystemTime,
    /// A node that runs may have got since what it once said it lacks.
    is_start: bool,
    next_journals: Instant,
    /// For each container: its restarts when it was seen last, what it said, and how often it said so.
    seen: BTreeMap<String, (u32, String, u32)>,
    /// What each unit said before it ended, when that was read last.
    last_ends: BTreeMap<&'static str, String>,
    /// The line that told first of each thing that a running component cannot do.
    first_attempts: BTreeMap<String, Vec<Evidence>>,
    journals: Vec<Check>,
    /// Processes that the kernel had killed before.
    kills_before: Option<Kills<'static>>,
    /// Since when an etcd serves that the API server does not get on with, and what it said of that last.
    refused: Option<(Instant, Vec<Evidence>)>,
    /// Since when the API server does not reach an etcd, be it there or not.
    unreached: Option<Instant>,
}

impl Watch {
    /// Begins with a node that starts now.
    pub(crate) fn new() -> Self {
        Self {
            is_start: true,
            ..Self::since(SystemTime::now())
        }
    }

    /// Begins with what was said since a time.
    pub(crate) fn since(began: SystemTime) -> Self {
        Self {
            pods: PathBuf::from("/var/log/pods"),
            began,
            is_start: false,
            next_journals: Instant::now() + FIRST_JOURNAL_DELAY,
            seen: BTreeMap::new(),
            last_ends: BTreeMap::new(),
            first_attempts: BTreeMap::new(),
            journals: Vec::new(),
            kills_before: count_kills(),
            refused: None,
            unreached: None,
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
        let checks = self.collect_checks();
        if checks.is_empty() {
            find_last_error(&self.pods, self.began)
                .into_iter()
                .collect()
        } else {
            checks
        }
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
            self.judge_current(unit, &journal.current)
        }
    }

    /// The same, and why it ended before.
    fn judge_whole_journal(&mut self, unit: &'static str, journal: &Journal) -> Vec<Check> {
        let mut checks = self.judge_current(unit, &journal.current);
        checks.extend(judge_ends(unit, &journal.ended));
        checks
    }

    /// What is in the way by the run that goes on: what it says now, and what it has said that stays true.
    fn judge_current(&mut self, unit: &'static str, lines: &[String]) -> Vec<Check> {
        let mut checks = self.note_attempts(unit, lines);
        checks.retain(|check| self.is_start && is_certain(&check.id));
        let latest = self.judge_lines(unit, &journal_name(unit), lines);
        checks.retain(|check| latest.iter().all(|now| now.id != check.id));
        checks.extend(latest);
        checks
    }

    fn collect_checks(&mut self) -> Vec<Check> {
        let mut logs = find_logs(&self.pods, self.began);
        // Of what is equally bad, that comes first which does not run.
        logs.sort_by_key(|log| Reverse(log.restarts));
        let mut checks: Vec<_> = logs.iter().flat_map(|log| self.judge_log(log)).collect();
        checks.extend(self.journals.iter().cloned());
        self.judge_refusals(&logs, &mut checks, Instant::now());
        self.hold_back_refusals(&logs, &mut checks, Instant::now());
        heal_without_static_pods(Path::new(MANIFESTS), &mut checks);
        checks.extend(self.judge_memory(&logs));
        drop_consequences(&mut checks);
        checks.sort_by_key(|check| (Reverse(check.severity), !check.is_known()));
        drop_repetitions(&mut checks);
        checks
    }

    fn judge_memory(&self, logs: &[ContainerLog]) -> Option<Check> {
        let has_restarted = logs.iter().any(|log| log.restarts > 0);
        judge_kills(self.kills_before?, count_kills()?, has_restarted)
    }

    /// Gives up an API server that goes on not to reach an etcd that serves: what leads it there is wrong.
    fn judge_refusals(&mut self, logs: &[ContainerLog], checks: &mut [Check], now: Instant) {
        let mut etcd = logs.iter().filter(|log| log.container == "etcd");
        let serves = etcd.any(|log| SERVES.iter().any(|words| log.log.contains(words)));
        let mut refused = checks.iter_mut().filter(|check| check.id == UNREACHED);
        let Some(check) = refused.next().filter(|_| serves) else {
            self.refused = None;
            return;
        };
        let first = || (now, check.evidence.clone());
        let (since, said) = self.refused.get_or_insert_with(first);
        // What it said before may be over; only a new line tells that it is not.
        let says_again = *said != check.evidence;
        said.clone_from(&check.evidence);
        if says_again && now.duration_since(*since) >= REFUSAL_TIMEOUT {
            check.severity = Severity::Error;
            check.expected = "the etcd beside it, which serves".to_owned();
            check.remedy = WRONG_WAY.to_owned();
        }
    }

    /// Does not tell of an etcd that runs and is not reached yet.
    fn hold_back_refusals(&mut self, logs: &[ContainerLog], checks: &mut Vec<Check>, now: Instant) {
        let heals = |check: &Check| check.id == UNREACHED && check.severity == Severity::Warning;
        if !checks.iter().any(heals) {
            self.unreached = None;
            return;
        }
        let since = *self.unreached.get_or_insert(now);
        let mut etcd = logs.iter().filter(|log| log.container == "etcd");
        let runs = etcd.any(|log| !has_ended(&log.log));
        if self.is_start && runs && now.duration_since(since) < REFUSAL_DELAY {
            checks.retain(|check| !heals(check));
        }
    }

    fn judge_log(&mut self, log: &ContainerLog) -> Vec<Check> {
        let path = log.path.display().to_string();
        let lines: Vec<&str> = log.log.lines().collect();
        let mut checks = self.judge_lines(&log.container, &path, &lines);
        if log.restarts > 0 {
            give_up(&mut checks);
        }
        if !has_ended(&log.log) {
            checks.extend(self.judge_former_end(&path, log));
            return checks;
        }
        let end = examine_exit(Component::new(&log.container), &path, &log.log);
        if end
            .as_ref()
            .is_some_and(|end| end.severity == Severity::Error)
        {
            // It did not wait for etcd when it ended.
            checks.retain(|check| check.id != UNREACHED);
        }
        checks.extend(end.map(|end| self.judge_end(&path, log, end)));
        checks
    }

    /// What is in the way by what a component said lately. What it tries again and again is not given up after one try,
    /// unless that has said enough.
    fn judge_lines(&mut self, name: &str, path: &str, lines: &[impl AsRef<str>]) -> Vec<Check> {
        let latest = &lines[lines.len().saturating_sub(LATEST_LINES)..];
        let latest = latest.iter().map(AsRef::as_ref);
        let mut checks = examine_lines(Component::new(name), path, latest);
        for check in checks.iter_mut().filter(|check| !is_certain(&check.id)) {
            let first = self.first_attempts.entry(check.id.clone());
            if *first.or_insert_with(|| check.evidence.clone()) == check.evidence {
                check.severity = Severity::Warning;
            }
        }
        checks
    }

    /// Remembers what a unit tried first, and returns what it has said before its latest lines. A kubelet says so much
    /// that its first try is not among these when it is looked at.
    fn note_attempts(&mut self, unit: &'static str, lines: &[String]) -> Vec<Check> {
        let earlier = &lines[..lines.len().saturating_sub(LATEST_LINES)];
        let earlier = earlier.iter().map(String::as_str);
        let checks = examine_lines(Component::new(unit), &journal_name(unit), earlier);
        for check in &checks {
            let first = self.first_attempts.entry(check.id.clone());
            first.or_insert_with(|| check.evidence.clone());
        }
        checks
    }

    /// How much the end of a container is in the way.
    fn judge_end(&mut self, path: &str, log: &ContainerLog, mut end: Check) -> Check {
        let seen = self.seen.entry(log.container.clone());
        let (restarts, said, times) = seen.or_insert((0, String::new(), 0));
        if *restarts != log.restarts {
            let again = *said == end.found || ended_likewise(log, path, &end);
            *times = if again { (*times).max(1) + 1 } else { 1 };
            *restarts = log.restarts;
            said.clone_from(&end.found);
        }
        // What nobody knows may pass; the same end again and again does not.
        let is_enough = match log.restarts {
            0 => is_certain(&end.id),
            _ => end.is_known() || *times >= UNKNOWN_ENDS,
        };
        if !is_enough {
            end.severity = Severity::Warning;
        }
        end
    }

    /// What a container that starts again has ended of and will again.
    fn judge_former_end(&self, path: &str, log: &ContainerLog) -> Option<Check> {
        let previous = log.previous.as_ref();
        let previous = previous.filter(|previous| self.is_start && has_ended(previous))?;
        let end = examine_exit(Component::new(&log.container), path, previous)?;
        is_certain(&end.id).then_some(end)
    }
}

/// Whether a log's program has said its last words.
fn has_ended(log: &str) -> bool {
    final_words(log).is_some_and(|words| words.is_end)
}

/// Whether the run before ended for the same reason: it may have done so before anybody looked.
fn ended_likewise(log: &ContainerLog, path: &str, check: &Check) -> bool {
    let Some(previous) = &log.previous else {
        return false;
    };
    let before = examine_exit(Component::new(&log.container), path, previous);
    has_ended(previous) && before.is_some_and(|before| before.found == check.found)
}

/// An API server that does not reach etcd is no news where it is known why etcd fails. Neither is that a slow machine,
/// where something else ends the start.
fn drop_consequences(checks: &mut Vec<Check>) {
    let ends = checks.iter().any(|check| check.severity == Severity::Error);
    let of_etcd = checks.iter().any(|check| check.subject == "etcd");
    checks.retain(|check| match check.id.as_str() {
        _ if check.severity == Severity::Error => true,
        UNREACHED => !ends && !of_etcd,
        "etcd-slow" => !ends,
        _ => true,
    });
}

/// A component may say while it runs what it ends of as well; once is enough.
fn drop_repetitions(checks: &mut Vec<Check>) {
    let mut told = BTreeSet::new();
    checks.retain(|check| told.insert((check.subject.clone(), check.found.clone())));
}

/// Nothing is amiss with a worker whose kubelet finds no static pods.
fn heal_without_static_pods(manifests: &Path, checks: &mut [Check]) {
    let has_some = fs::read_dir(manifests).is_ok_and(|mut entries| entries.next().is_some());
    let of_directory = checks
        .iter_mut()
        .filter(|check| check.id == "static-pod-path");
    for check in of_directory.filter(|_| !has_some) {
        check.severity = Severity::Warning;
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
            previous: None,
        }
    }

    #[test]
    fn what_a_component_says_and_ends_of_is_told_once() {
        let log = restarted(
            "etcd",
            1,
            "panic: create wal error: no space left on device",
        );
        let mut checks = Watch::new().judge_log(&log);
        assert_eq!(checks.len(), 2);
        checks.sort_by_key(|check| Reverse(check.severity));
        drop_repetitions(&mut checks);
        let left: Vec<_> = checks.iter().map(|check| check.severity).collect();
        assert_eq!(left, [Severity::Error]);
    }

    #[test]
    fn an_end_like_the_one_before_counts_at_once() {
        let severity = |previous: Option<&str>| {
            let mut log = restarted("kube-apiserver", 1, "Error: odd");
            log.previous = previous.map(str::to_owned);
            Watch::new().judge_log(&log)[0].severity
        };
        assert_eq!(severity(None), Severity::Warning);
        assert_eq!(severity(Some("Error: other")), Severity::Warning);
        assert_eq!(severity(Some("I1 1 1 a.go:1] killed")), Severity::Warning);
        assert_eq!(severity(Some("Error: odd")), Severity::Error);
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
        assert_eq!(severity(3, "Error: c"), warning);
        assert_eq!(severity(4, "Error: c"), error);
        assert_eq!(severity(5, "Error: unknown flag: --a"), error);
        for restarts in 6..9 {
            assert_eq!(severity(restarts, "Error: connection refused"), warning);
        }
        let runs = "E1128 22:02:56.6 1 a.go:1] \"x\" err=\"open /a: no such file or directory\"";
        assert_eq!(severity(9, runs), None, "it has not ended again");
    }

    #[test]
    fn a_scheduler_that_ends_of_the_same_twice_ends_the_creation() {
        let mut watch = Watch::new();
        let mut severity = |restarts, log| {
            let checks = watch.judge_log(&restarted("kube-scheduler", restarts, log));
            checks[0].severity
        };
        let plugin = "E1 1 1 run.go:72] \"command failed\" err=\"initializing profiles: creating profile for scheduler name \
                      default-scheduler: initializing plugin \\\"NoSuch\\\": NoSuch not found in registry\"";
        assert_eq!(severity(1, plugin), Severity::Warning);
        assert_eq!(severity(2, plugin), Severity::Error);
        for restarts in 3..6 {
            assert_eq!(
                severity(restarts, "Error: leader election lost"),
                Severity::Warning
            );
        }
        assert_eq!(severity(7, "Error: unknown flag: --a"), Severity::Error);
    }

    /// A try to get an image of a registry that may answer otherwise the next time.
    fn failed_pull(second: &str, reason: &str) -> String {
        format!(
            "E1 22:00:{second} 1 a.go:1] \"Error syncing pod, skipping\" err=\"failed to \\\"StartContainer\\\" for \
             \\\"etcd\\\" with ErrImagePull: \\\"failed to pull and unpack image \\\\\\\"a/etcd:1\\\\\\\": {reason}\\\"\" pod=\"kube-system/etcd-a-control-plane\""
        )
    }

    #[test]
    fn one_try_is_not_the_last() {
        let mut watch = Watch::new();
        let mut severity = |second| {
            let line = failed_pull(second, "503 Service Unavailable");
            let checks = watch.judge_journal("kubelet", &journal(&[], &[&line]));
            (checks[0].id.clone(), checks[0].severity)
        };
        let missing = |severity| ("control-plane-image".to_owned(), severity);
        assert_eq!(severity("01"), missing(Severity::Warning));
        assert_eq!(severity("01"), missing(Severity::Warning));
        assert_eq!(severity("02"), missing(Severity::Error));
    }

    #[test]
    fn an_image_that_its_registry_does_not_have_is_not_asked_for_twice() {
        let severity = |reason: &str| {
            let line = failed_pull("01", reason);
            let checks = Watch::new().judge_journal("kubelet", &journal(&[], &[&line]));
            (checks[0].id.clone(), checks[0].severity)
        };
        let told = |id: &str, severity| (id.to_owned(), severity);
        assert_eq!(
            severity("failed to resolve reference: a/etcd:1: not found"),
            told("control-plane-image-unknown", Severity::Error)
        );
        assert_eq!(
            severity("dial tcp: lookup a: no such host"),
            told("control-plane-registry", Severity::Error)
        );
        for heals in ["connect: connection refused", "503 Service Unavailable"] {
            assert_eq!(
                severity(heals),
                told("control-plane-image", Severity::Warning)
            );
        }
    }

    #[test]
    fn only_a_node_with_static_pods_needs_their_directory() {
        let manifests = tempfile::tempdir().unwrap();
        let line = r#"E1 1 1 file_linux.go:59] "Unable to read config path" err="path does not exist, ignoring" path="/a""#;
        let severity = || {
            let mut checks = Watch::new().judge_journal("kubelet", &journal(&[], &[line]));
            heal_without_static_pods(manifests.path(), &mut checks);
            (checks[0].id.clone(), checks[0].severity)
        };
        let told = |severity| ("static-pod-path".to_owned(), severity);
        assert_eq!(severity(), told(Severity::Warning));
        fs::write(manifests.path().join("etcd.yaml"), "").unwrap();
        assert_eq!(severity(), told(Severity::Error));
    }

    #[test]
    fn a_second_try_is_one_whatever_was_said_since_the_first() {
        let mut lines = vec![failed_pull("01", "503 Service Unavailable")];
        lines.extend((0..LATEST_LINES).map(|line| format!("I1 {line}")));
        lines.push(failed_pull("13", "503 Service Unavailable"));
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
        let heals = |mut check: Check| {
            check.severity = Severity::Warning;
            check
        };
        let waits = heals(waits);
        assert_eq!(kept(vec![waits.clone()]), 1);
        assert_eq!(kept(vec![waits.clone(), fails.clone()]), 1);
        let slow = check("etcd", "etcd-slow");
        assert_eq!(kept(vec![heals(slow.clone()), waits]), 1);
        assert_eq!(kept(vec![heals(slow), fails]), 1);
        let mut refused = heals(check("kube-apiserver", "etcd-unreachable"));
        refused.severity = Severity::Error;
        assert_eq!(kept(vec![refused]), 1, "it is the cause itself");
    }

    #[test]
    fn an_api_server_that_does_not_find_an_etcd_that_serves_is_given_up() {
        let starts = restarted("etcd", 0, "I1 begins");
        let serves = restarted("etcd", 0, "2026 I | embed: ready to serve client requests");
        let (mut watch, began) = (Watch::new(), Instant::now());
        let mut severity = |etcd: &ContainerLog, seconds, line| {
            let waits = format!(
                "W{line} failed to connect to {{Addr: \"127.0.0.1:2390\", }}. Err: connection error: desc = \"connection refused\""
            );
            let server = restarted("kube-apiserver", 0, &waits);
            let mut checks = watch.judge_log(&server);
            let logs = [etcd.clone(), server];
            watch.judge_refusals(&logs, &mut checks, began + Duration::from_secs(seconds));
            checks[0].severity
        };
        let (warning, error) = (Severity::Warning, Severity::Error);
        assert_eq!(severity(&serves, 0, 1), warning);
        assert_eq!(severity(&starts, 9, 2), warning);
        assert_eq!(severity(&serves, 10, 2), warning);
        assert_eq!(severity(&serves, 12, 3), warning, "it is soon after");
        assert_eq!(severity(&serves, 17, 3), warning, "nothing new");
        assert_eq!(severity(&serves, 18, 4), error);
    }

    const REFUSED: &str = "W1 failed to connect to {Addr: \"127.0.0.1:2379\", }. Err: connection error: desc = \"connection refused\"";

    #[test]
    fn an_etcd_that_runs_is_given_time() {
        let told = |etcd: &[ContainerLog], mut watch: Watch| {
            let begin = Instant::now();
            let at = |seconds| {
                let mut checks = watch.judge_log(&restarted("kube-apiserver", 0, REFUSED));
                watch.hold_back_refusals(etcd, &mut checks, begin + Duration::from_secs(seconds));
                checks.len()
            };
            [0, 14, 15].map(at)
        };
        let runs = [restarted("etcd", 0, "well")];
        let ended = [restarted("etcd", 0, "Error: unknown flag: --a")];
        assert_eq!(told(&runs, Watch::new()), [0, 0, 1]);
        assert_eq!(told(&ended, Watch::new()), [1, 1, 1]);
        assert_eq!(told(&[], Watch::new()), [1, 1, 1]);
        let looks_once = Watch::since(SystemTime::now());
        assert_eq!(told(&runs, looks_once), [1, 1, 1]);
    }

    #[test]
    fn the_first_end_that_will_come_again_is_enough() {
        let failed = |words: &str| {
            format!("E1 1 1 run.go:72] \"command failed\" err=\"{words}\"\n{REFUSED}")
        };
        let judge = |log: &ContainerLog| {
            let checks = Watch::new().judge_log(log).into_iter();
            checks
                .map(|check| (check.id, check.severity))
                .collect::<Vec<_>>()
        };
        let told = |id: &str, severity| vec![(id.to_owned(), severity)];
        let policy = failed("loading audit policy file: odd");
        let known = told("audit-policy", Severity::Error);
        assert_eq!(judge(&restarted("kube-apiserver", 0, &policy)), known);
        let mut runs = restarted("kube-apiserver", 1, "I1 1 1 a.go:1] begins");
        runs.previous = Some(policy);
        assert_eq!(judge(&runs), known);
        let odd = restarted("kube-apiserver", 0, &failed("odd"));
        assert_eq!(judge(&odd), told("component-ended", Severity::Warning));
        let waits = restarted("kube-apiserver", 0, &failed("context deadline exceeded"));
        assert_eq!(judge(&waits)[0], (UNREACHED.to_owned(), Severity::Warning));
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
    fn a_unit_that_ends_of_the_same_by_other_words_is_told() {
        let full = |message: &str| {
            format!("E1 1 1 kubelet.go:1] \"{message}\" err=\"mkdir /a: no space left on device\"")
        };
        let ends = [
            full("Failed to initialize internal modules"),
            full("Failed to create listener for podResources endpoint"),
        ];
        let ended: Vec<_> = ends.iter().map(String::as_str).collect();
        let severity = |ended: &[&str]| {
            let checks = Watch::new().judge_journal("kubelet", &journal(ended, &[]));
            (checks[0].id.clone(), checks[0].severity)
        };
        let told = |severity| ("disk-full".to_owned(), severity);
        assert_eq!(severity(&ended[..1]), told(Severity::Warning));
        assert_eq!(severity(&ended), told(Severity::Error));
    }

    #[test]
    fn a_unit_that_only_ends_is_told_whatever_it_says() {
        let said = |last: &str, times: usize| {
            let lines = (0..times).map(|time| format!("E1 1 {time} a.go:1] \"odd {time}\""));
            lines.chain([last.to_owned()]).collect::<Vec<_>>()
        };
        let severity = |ended: Vec<String>| {
            let ended: Vec<_> = ended.iter().map(String::as_str).collect();
            let checks = Watch::new().judge_journal("kubelet", &journal(&ended, &[]));
            checks[0].severity
        };
        let odd = "E1 1 1 a.go:1] \"odd\"";
        assert_eq!(severity(said(odd, 8)), Severity::Warning);
        assert_eq!(severity(said(odd, 9)), Severity::Error);
        let waits = "E1 1 1 a.go:1] \"odd\" err=\"connection refused\"";
        assert_eq!(severity(said(waits, 9)), Severity::Warning);
    }

    #[test]
    fn why_a_unit_ends_may_stand_before_its_last_words() {
        let said = "E1 1 1 a.go:1] part of the existing bootstrap client certificate in /etc/kubernetes/kubelet.conf is expired: 2026-11-28\n\
                    E1 1 1 run.go:72] \"command failed\" err=\"stat /etc/kubernetes/bootstrap-kubelet.conf: no such file or directory\"";
        let checks = Watch::new().judge_journal("kubelet", &journal(&[said], &[]));
        let told = (checks[0].id.as_str(), checks[0].severity);
        assert_eq!(told, ("certificate-expired", Severity::Error));
    }

    #[test]
    fn what_stays_true_is_found_behind_all_that_was_said_since() {
        let expired = "E1 1 1 a.go:1] part of the existing bootstrap client certificate in a is expired: 2026-11-28";
        let mut lines = vec![expired];
        lines.extend(["I1 on and on"; 2 * LATEST_LINES]);
        let mut starts = Watch::new();
        let found = starts.judge_journal("kubelet", &journal(&[], &lines));
        assert_eq!(found[0].severity, Severity::Error);
        let mut runs = Watch::since(SystemTime::now());
        assert_eq!(runs.judge_journal("kubelet", &journal(&[], &lines)), []);
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
