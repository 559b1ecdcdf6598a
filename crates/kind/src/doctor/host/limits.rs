//! What a host lets its programs have: processes, open files, connections that are followed.

use super::facts::Host;
use crate::EngineChoice;
use crate::doctor::fix::{Fix, sysctl_remedy};
use crate::doctor::outcome::{Outcome, Problem};

/// Threads that a node takes, and some air.
const NODE_THREADS: u64 = 500;
/// Without so many not even a command in a node runs.
const LAST_THREADS: u64 = 64;
/// Open files below which programs of a node fail.
const FEW_FILES: u64 = 4096;
const GOOD_FILES: u64 = 65_536;

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
            host.planned.sum(NODE_THREADS, NODE_THREADS),
        ),
        _ => Outcome::skipped("nodes would not run on this kernel"),
    }
}

/// Threads of the whole host, out of `/proc/loadavg`: `0.1 0.2 0.3 RUNNING/ALL LAST`.
fn threads_of(loadavg: &str) -> Option<u64> {
    let (_, all) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    all.parse().ok()
}

fn judge_processes(threads: Threads, needed: u64) -> Outcome {
    let Threads {
        running,
        limit,
        sysctl,
    } = threads;
    let told = format!("{running} threads run, and {sysctl} lets {limit}");
    let left = limit.saturating_sub(running);
    if left >= needed {
        return Outcome::Passed(told);
    }
    let expected = format!("{needed} more");
    let good = (limit + needed).next_power_of_two();
    let remedy = sysctl_remedy(sysctl, good);
    let problem = if left < LAST_THREADS {
        Problem::error(told, expected, remedy)
    } else {
        Problem::warning(told, expected, remedy)
    };
    problem.with_fix(Fix::set_sysctl(sysctl, good)).into()
}

/// What systemd lets a user's sessions have: nodes of engines without root are in there.
pub(super) fn look_at_user_processes(host: &Host) -> Outcome {
    if host.nodes_uid() == 0 {
        return Outcome::skipped("nodes are root's");
    }
    let slice = format!("sys/fs/cgroup/user.slice/user-{}.slice", host.uid);
    let limit = host.number(&format!("{slice}/pids.max"));
    let running = host.number(&format!("{slice}/pids.current"));
    let needed = host.planned.sum(NODE_THREADS, NODE_THREADS);
    match limit.zip(running) {
        Some((limit, running)) => judge_user_processes(limit, running, needed, host.uid),
        None => Outcome::skipped("nothing limits them"),
    }
}

fn judge_user_processes(limit: u64, running: u64, needed: u64, uid: u32) -> Outcome {
    let told = format!("{running} of {limit} threads of the user run");
    if limit.saturating_sub(running) >= needed {
        return Outcome::Passed(told);
    }
    let remedy = format!("`sudo systemctl set-property user-{uid}.slice TasksMax=infinity`");
    Problem::warning(told, format!("{needed} more"), remedy).into()
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
    Problem::warning(told, format!("{PODMAN_PROCESSES} or more"), remedy).into()
}

pub(super) fn look_at_open_files(host: &Host) -> Outcome {
    let limits = host.text("proc/self/limits");
    let is_native = host.engines().used().is_native();
    match limits.as_deref().and_then(hard_limit_of_files) {
        // Daemons have limits of their own.
        Some(limit) if is_native || host.nodes_uid() != 0 => judge_open_files(limit),
        _ => Outcome::skipped("the engine has a limit of its own"),
    }
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
    Problem::warning(found, format!("{FEW_FILES} or more"), remedy).into()
}

pub(super) fn look_at_connections(host: &Host) -> Outcome {
    let number = |name: &str| host.number(&format!("proc/sys/net/netfilter/{name}"));
    match number("nf_conntrack_count").zip(number("nf_conntrack_max")) {
        Some((followed, limit)) if host.has_nodes() => judge_connections(followed, limit),
        _ => Outcome::skipped("the kernel follows none yet"),
    }
}

fn judge_connections(followed: u64, limit: u64) -> Outcome {
    const SYSCTL: &str = "net.netfilter.nf_conntrack_max";
    let told = format!("{followed} of {limit} connections are followed");
    // Beyond that new ones are dropped; what a cluster needs is less than a tenth of the default.
    if followed.saturating_mul(10) < limit.saturating_mul(9) {
        return Outcome::Passed(told);
    }
    let good = limit.saturating_mul(2);
    Problem::warning(told, "a tenth of them free", sysctl_remedy(SYSCTL, good))
        .with_fix(Fix::set_sysctl(SYSCTL, good))
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
                500,
            ))
        };
        assert_eq!(
            judged(300, 32_768),
            "passed: 300 threads run, and kernel.pid_max lets 32768"
        );
        assert_eq!(
            judged(900, 1024),
            "warning: 900 threads run, and kernel.pid_max lets 1024"
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
        let judged = |limit, running| told(&judge_user_processes(limit, running, 500, 1000));
        assert_eq!(
            judged(28_000, 200),
            "passed: 200 of 28000 threads of the user run"
        );
        assert_eq!(
            judged(512, 200),
            "warning: 200 of 512 threads of the user run"
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
    }

    #[test]
    fn a_full_table_of_connections_is_told() {
        assert_eq!(
            told(&judge_connections(10, 100)),
            "passed: 10 of 100 connections are followed"
        );
        assert_eq!(
            told(&judge_connections(95, 100)),
            "warning: 95 of 100 connections are followed"
        );
    }
}
