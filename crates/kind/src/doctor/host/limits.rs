//! What a host lets its programs have: processes, open files, connections that are followed.

use super::facts::{Host, Planned};
use crate::EngineChoice;
use crate::doctor::fix::{Fix, sysctl_remedy};
use crate::doctor::outcome::{Outcome, Problem};

/// Threads that a node takes, and some air.
const NODE_THREADS: u64 = 500;
/// What a node takes once it runs.
const CONTROL_PLANE_THREADS: u64 = 200;
const WORKER_THREADS: u64 = 80;
/// Open files below which programs of a node fail.
const FEW_FILES: u64 = 4096;
const GOOD_FILES: u64 = 65_536;
/// Open files without which not even a node's systemd gets up.
const NO_FILES: u64 = 512;
/// Files that a node's programs hold open.
const CONTROL_PLANE_FILES: u64 = 1000;
const WORKER_FILES: u64 = 500;
/// Connections that a node's programs have to each other and to other nodes.
const NODE_CONNECTIONS: u64 = 500;

/// What podman gives where nobody has set anything; pods have used up more.
const PODMAN_PROCESSES: i64 = 2048;

/// Threads that there are, and may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Threads {
    running: u64,
    limit: u64,
    /// What sets the limit.
    sysctl: &'static str,
}

pub(super) fn look_at_processes(host: &Host) -> Outcome {
    let running = host.text("proc/loadavg").and_then(|text| threads_of(&text));
    let limits = [
        ("kernel.pid_max", host.number("proc/sys/kernel/pid_max")),
        (
            "kernel.threads-max",
            host.number("proc/sys/kernel/threads-max"),
        ),
    ];
    let limit = limits
        .into_iter()
        .filter_map(|(name, limit)| Some((limit?, name)))
        .min();
    match (running, limit) {
        (Some(running), Some((limit, sysctl))) if host.has_nodes() => judge_processes(
            Threads {
                running,
                limit,
                sysctl,
            },
            Needed::of(host.planned),
        ),
        _ => Outcome::skipped("nodes would not run on this kernel"),
    }
}

/// Threads that nodes take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needed {
    /// Without so many they do not run.
    least: u64,
    /// With so many they have air.
    enough: u64,
}

impl Needed {
    fn of(planned: Planned) -> Self {
        Self {
            least: planned.sum(CONTROL_PLANE_THREADS, WORKER_THREADS),
            enough: planned.sum(NODE_THREADS, NODE_THREADS),
        }
    }
}

/// Threads of the whole host, out of `/proc/loadavg`: `0.1 0.2 0.3 RUNNING/ALL LAST`.
fn threads_of(loadavg: &str) -> Option<u64> {
    let (_, all) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    all.parse().ok()
}

fn judge_processes(threads: Threads, needed: Needed) -> Outcome {
    let Threads {
        running,
        limit,
        sysctl,
    } = threads;
    let told = format!("{running} threads run, and {sysctl} lets {limit}");
    let left = limit.saturating_sub(running);
    let good = (limit + needed.enough).next_power_of_two();
    match lack_of_threads(left, needed, &told, sysctl_remedy(sysctl, good)) {
        None => Outcome::Passed(told),
        Some(problem) => problem.with_fix(Fix::set_sysctl(sysctl, good)).into(),
    }
}

/// What was told, as a problem, if too few threads are left.
fn lack_of_threads(left: u64, needed: Needed, told: &str, remedy: String) -> Option<Problem> {
    if left >= needed.enough {
        return None;
    }
    Some(if left < needed.least {
        Problem::error(told, format!("{} more", needed.least), remedy)
    } else {
        Problem::warning(told, format!("{} more", needed.enough), remedy)
    })
}

/// What systemd lets a user's sessions have: nodes of engines without root are in there.
pub(super) fn look_at_user_processes(host: &Host) -> Outcome {
    if host.nodes_uid() == 0 {
        return Outcome::skipped("nodes are root's");
    }
    let slice = format!("sys/fs/cgroup/user.slice/user-{}.slice", host.uid);
    let limit = host.number(&format!("{slice}/pids.max"));
    let running = host.number(&format!("{slice}/pids.current"));
    let needed = Needed::of(host.planned);
    match limit.zip(running) {
        Some((limit, running)) => judge_user_processes(limit, running, needed, host.uid),
        None => Outcome::skipped("nothing limits them"),
    }
}

fn judge_user_processes(limit: u64, running: u64, needed: Needed, uid: u32) -> Outcome {
    let told = format!("{running} of {limit} threads of the user run");
    let remedy = format!("`sudo systemctl set-property user-{uid}.slice TasksMax=infinity`");
    match lack_of_threads(limit.saturating_sub(running), needed, &told, remedy) {
        None => Outcome::Passed(told),
        Some(problem) => problem.into(),
    }
}

/// What podman's settings give a container. The user's come last, and count.
pub(super) fn look_at_podman_processes(host: &Host) -> Outcome {
    if host.engines().used().name != EngineChoice::Podman.name() {
        return Outcome::skipped("podman is not used");
    }
    let system = [
        "usr/share/containers/containers.conf",
        "etc/containers/containers.conf",
    ];
    let home = host.variable("HOME").filter(|_| !host.is_root());
    let own = home.map(|home| format!("{home}/.config/containers/containers.conf"));
    let files = system.into_iter().map(str::to_owned).chain(own);
    let limits = files.filter_map(|path| pids_limit(&host.text(&path)?));
    judge_podman_processes(limits.last())
}

/// The limit of processes, out of the text of `containers.conf`.
fn pids_limit(config: &str) -> Option<i64> {
    config.lines().find_map(|line| {
        let (name, value) = line.split('#').next()?.split_once('=')?;
        (name.trim() == "pids_limit").then(|| value.trim().parse().ok())?
    })
}

fn judge_podman_processes(limit: Option<i64>) -> Outcome {
    let limit = match limit {
        None => return Outcome::passed("as many as podman gives by itself"),
        Some(limit) if limit <= 0 => return Outcome::passed("podman sets no limit"),
        Some(limit) => limit,
    };
    let told = format!("podman lets a node have {limit} processes");
    if limit >= PODMAN_PROCESSES {
        return Outcome::Passed(told);
    }
    let remedy = "set `pids_limit = 65536` below `[containers]` in /etc/containers/containers.conf, or \
         ~/.config/containers/containers.conf without root";
    if limit.unsigned_abs() < CONTROL_PLANE_THREADS {
        return Problem::error(told, format!("{CONTROL_PLANE_THREADS} or more"), remedy).into();
    }
    Problem::warning(told, format!("{PODMAN_PROCESSES} or more"), remedy).into()
}

pub(super) fn look_at_open_files(host: &Host) -> Outcome {
    let all = host
        .text("proc/sys/fs/file-nr")
        .and_then(|text| open_files(&text));
    if let Some((open, limit)) = all.filter(|_| host.has_nodes()) {
        let needed = host.planned.sum(CONTROL_PLANE_FILES, WORKER_FILES);
        if let Some(problem) = judge_all_open_files(open, limit, needed) {
            return problem.into();
        }
    }
    let limits = host.text("proc/self/limits");
    let is_native = host.engines().used().is_native();
    match limits.as_deref().and_then(hard_limit_of_files) {
        // Daemons have limits of their own.
        Some(limit) if is_native || host.nodes_uid() != 0 => judge_open_files(limit),
        _ => Outcome::skipped("the engine has a limit of its own"),
    }
}

/// Files that are open on the host and may be, out of `/proc/sys/fs/file-nr`: `OPEN UNUSED LIMIT`.
fn open_files(file_nr: &str) -> Option<(u64, u64)> {
    let mut numbers = file_nr.split_whitespace().map(str::parse::<u64>);
    let (open, _, limit) = (numbers.next()?, numbers.next()?, numbers.next()?);
    open.ok().zip(limit.ok())
}

fn judge_all_open_files(open: u64, limit: u64, needed: u64) -> Option<Problem> {
    const SYSCTL: &str = "fs.file-max";
    let left = limit.saturating_sub(open);
    (left < needed).then(|| {
        let good = (limit.saturating_add(2 * needed)).next_power_of_two();
        let found = format!("{open} of {limit} files that the host may have open are open");
        let expected = format!("{needed} more");
        let problem = Problem::error(found, expected, sysctl_remedy(SYSCTL, good));
        problem.with_fix(Fix::set_sysctl(SYSCTL, good))
    })
}

/// The hard limit, out of `/proc/self/limits`.
fn hard_limit_of_files(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().nth(1)? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn judge_open_files(limit: u64) -> Outcome {
    if limit >= FEW_FILES {
        return Outcome::Passed(format!("a program may open {limit} files"));
    }
    let remedy = format!(
        "`echo '* hard nofile {GOOD_FILES}' | sudo tee /etc/security/limits.d/90-kind.conf`, then log in again"
    );
    let found = format!("a program may open {limit} files at most");
    let expected = format!("{FEW_FILES} or more");
    if limit < NO_FILES {
        return Problem::error(found, expected, remedy).into();
    }
    Problem::warning(found, expected, remedy).into()
}

pub(super) fn look_at_connections(host: &Host) -> Outcome {
    let number = |name: &str| host.number(&format!("proc/sys/net/netfilter/{name}"));
    match number("nf_conntrack_count").zip(number("nf_conntrack_max")) {
        Some((followed, limit)) if host.has_nodes() => {
            let needed = host.planned.sum(NODE_CONNECTIONS, NODE_CONNECTIONS);
            judge_connections(followed, limit, needed)
        }
        _ => Outcome::skipped("the kernel follows none yet"),
    }
}

fn judge_connections(followed: u64, limit: u64, needed: u64) -> Outcome {
    const SYSCTL: &str = "net.netfilter.nf_conntrack_max";
    let told = format!("{followed} of {limit} connections are followed");
    let good = limit.saturating_mul(2).max(limit + 2 * needed);
    let (fix, remedy) = (Fix::set_sysctl(SYSCTL, good), sysctl_remedy(SYSCTL, good));
    // Beyond the limit new ones are dropped.
    if limit.saturating_sub(followed) < needed {
        return Problem::error(told, format!("{needed} more"), remedy)
            .with_fix(fix)
            .into();
    }
    if followed.saturating_mul(10) < limit.saturating_mul(9) {
        return Outcome::Passed(told);
    }
    Problem::warning(told, "a tenth of them free", remedy)
        .with_fix(fix)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn threads_are_counted_against_the_lower_limit() {
        let judged = |running, limit| {
            let sysctl = "kernel.pid_max";
            told(&judge_processes(
                Threads {
                    running,
                    limit,
                    sysctl,
                },
                Needed::of(Planned::ONE_NODE),
            ))
        };
        assert_eq!(
            judged(300, 32_768),
            "passed: 300 threads run, and kernel.pid_max lets 32768"
        );
        assert_eq!(
            judged(700, 1024),
            "warning: 700 threads run, and kernel.pid_max lets 1024"
        );
        assert_eq!(
            judged(1000, 1024),
            "error: 1000 threads run, and kernel.pid_max lets 1024"
        );
        assert_eq!(threads_of("0.10 0.20 0.30 2/345 999\n"), Some(345));
        assert_eq!(threads_of("broken"), None);
    }

    #[test]
    fn a_users_sessions_have_a_limit() {
        let judged = |limit, running| {
            let needed = Needed::of(Planned::ONE_NODE);
            told(&judge_user_processes(limit, running, needed, 1000))
        };
        assert_eq!(
            judged(28_000, 200),
            "passed: 200 of 28000 threads of the user run"
        );
        assert_eq!(
            judged(512, 200),
            "warning: 200 of 512 threads of the user run"
        );
        assert_eq!(
            judged(512, 400),
            "error: 400 of 512 threads of the user run"
        );
    }

    #[test]
    fn podmans_limit_is_read_and_judged() {
        let judged = |config: &str| told(&judge_podman_processes(pids_limit(config)));
        assert_eq!(
            judged("[containers]\n# pids_limit = 7\n"),
            "passed: as many as podman gives by itself"
        );
        assert_eq!(judged("pids_limit=0"), "passed: podman sets no limit");
        assert_eq!(
            judged("pids_limit = 65536 # many"),
            "passed: podman lets a node have 65536 processes"
        );
        assert_eq!(
            judged("  pids_limit = 512"),
            "warning: podman lets a node have 512 processes"
        );
        assert_eq!(
            judged("pids_limit = 100"),
            "error: podman lets a node have 100 processes"
        );
    }

    #[test]
    fn open_files_are_read_and_judged() {
        let limits = "Limit   Soft  Hard  Units\nMax open files            1024                 20000                files     \n";
        assert_eq!(hard_limit_of_files(limits), Some(20_000));
        let limits = "Max open files 1024 unlimited files\n";
        assert_eq!(hard_limit_of_files(limits), Some(u64::MAX));
        assert_eq!(
            told(&judge_open_files(20_000)),
            "passed: a program may open 20000 files"
        );
        assert_eq!(
            told(&judge_open_files(1024)),
            "warning: a program may open 1024 files at most"
        );
        assert_eq!(
            told(&judge_open_files(40)),
            "error: a program may open 40 files at most"
        );
    }

    #[test]
    fn open_files_of_the_whole_host_are_counted() {
        assert_eq!(open_files("1734\t0\t2466186\n"), Some((1734, 2_466_186)));
        assert_eq!(open_files("broken"), None);
        assert_eq!(judge_all_open_files(1734, 2_466_186, 2000), None);
        let problem = judge_all_open_files(9000, 10_000, 2000).unwrap();
        assert_eq!(
            told(&problem.into()),
            "error: 9000 of 10000 files that the host may have open are open"
        );
    }

    #[test]
    fn a_full_table_of_connections_is_told() {
        assert_eq!(
            told(&judge_connections(10, 10_000, 500)),
            "passed: 10 of 10000 connections are followed"
        );
        assert_eq!(
            told(&judge_connections(9_100, 10_000, 500)),
            "warning: 9100 of 10000 connections are followed"
        );
        assert_eq!(
            told(&judge_connections(9_600, 10_000, 500)),
            "error: 9600 of 10000 connections are followed"
        );
    }
}
