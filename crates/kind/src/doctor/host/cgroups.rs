//! Control groups: their version, and the controllers that nodes are limited by.

use super::facts::Host;
use crate::doctor::outcome::{Outcome, Problem};

/// Controllers without which the kubelet does not run.
const NEEDED: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];
const UNIFIED: &str = "start the host's kernel with `systemd.unified_cgroup_hierarchy=1`";
const WSL: &str = "put `kernelCommandLine = cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1` below `[wsl2]` in \
     .wslconfig of the Windows user, then `wsl --shutdown`";

/// Hierarchies that are mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hierarchies {
    v1: bool,
    v2: bool,
}

impl Hierarchies {
    /// Reads the text of `/proc/mounts`.
    fn read(mounts: &str) -> Self {
        let has = |kind| {
            mounts
                .lines()
                .any(|line| line.split(' ').nth(2) == Some(kind))
        };
        Self {
            v1: has("cgroup"),
            v2: has("cgroup2"),
        }
    }
}

pub(super) fn look_at_version(host: &Host) -> Outcome {
    let Some(mounts) = host.text("proc/mounts").filter(|_| host.has_nodes()) else {
        return Outcome::skipped("nodes would not run on this kernel");
    };
    let is_rootless = host.engines().info().is_some_and(|info| info.rootless);
    let version = host.text("proc/version").unwrap_or_default();
    let remedy = if version.to_lowercase().contains("microsoft") {
        WSL
    } else {
        UNIFIED
    };
    judge_version(Hierarchies::read(&mounts), is_rootless, remedy)
}

fn judge_version(hierarchies: Hierarchies, is_rootless: bool, remedy: &str) -> Outcome {
    let found = match (hierarchies.v1, hierarchies.v2) {
        (false, true) => return Outcome::passed("version 2"),
        (false, false) => {
            let remedy = "`sudo mount -t cgroup2 none /sys/fs/cgroup`";
            let found = "no hierarchy of control groups is mounted";
            return Problem::error(found, "control groups of version 2", remedy).into();
        }
        (true, true) => "the host has control groups of both versions",
        (true, false) => "the host has control groups of version 1",
    };
    if is_rootless {
        let expected = "version 2, without which engines without root limit nothing";
        return Problem::error(found, expected, remedy).into();
    }
    let expected = "version 2: Kubernetes 1.35 and later run on version 1 only with `failCgroupV1: false` in \
         KubeletConfiguration";
    Problem::warning(found, expected, remedy).into()
}

pub(super) fn look_at_controllers(host: &Host) -> Outcome {
    let unified = host.text("sys/fs/cgroup/cgroup.controllers");
    let split = host.text("proc/cgroups");
    let controllers = match (unified, split) {
        (Some(text), _) => text.split_whitespace().map(str::to_owned).collect(),
        (None, Some(text)) => enabled_controllers(&text),
        (None, None) => Vec::new(),
    };
    if controllers.is_empty() || !host.has_nodes() {
        return Outcome::skipped("nodes would not run on this kernel");
    }
    judge_controllers(&controllers)
}

/// Controllers that are on, out of `/proc/cgroups`: `NAME HIERARCHY GROUPS ENABLED`.
fn enabled_controllers(cgroups: &str) -> Vec<String> {
    let controller = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        matches!(words[..], [_, _, _, "1"]).then(|| words[0].to_owned())
    };
    cgroups.lines().filter_map(controller).collect()
}

fn judge_controllers(controllers: &[String]) -> Outcome {
    let has = |wanted: &str| controllers.iter().any(|name| name == wanted);
    let missing: Vec<_> = NEEDED.into_iter().filter(|wanted| !has(wanted)).collect();
    if missing.is_empty() {
        return Outcome::passed(NEEDED.join(", "));
    }
    let missing = missing.join(" and ");
    let found = format!("the kernel has no control of {missing}");
    let remedy = format!(
        "start the host's kernel without `cgroup_disable`, and for memory with `cgroup_enable=memory` where it is \
         off by default; \
         otherwise use a kernel that has {missing}"
    );
    Problem::error(found, NEEDED.join(", "), remedy).into()
}

/// Engines give nodes a view of their own on control groups.
pub(super) fn look_at_namespaces(host: &Host) -> Outcome {
    if host.text("proc/mounts").is_none() || !host.has_nodes() {
        return Outcome::skipped("nodes would not run on this kernel");
    }
    judge_namespaces(host.path("proc/self/ns/cgroup").symlink_metadata().is_ok())
}

fn judge_namespaces(are_there: bool) -> Outcome {
    if are_there {
        return Outcome::passed("the kernel has them");
    }
    let found = "the kernel has no namespaces of control groups";
    Problem::error(found, "a kernel that has them", "use Linux 4.6 or later").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn versions_are_told_apart() {
        let v1 = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n";
        let v2 = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n";
        let judged = |mounts: &str, is_rootless| {
            told(&judge_version(
                Hierarchies::read(mounts),
                is_rootless,
                UNIFIED,
            ))
        };
        assert_eq!(judged(v2, true), "passed: version 2");
        assert_eq!(
            judged(v1, false),
            "warning: the host has control groups of version 1"
        );
        assert_eq!(
            judged(v1, true),
            "error: the host has control groups of version 1"
        );
        let both = "warning: the host has control groups of both versions";
        assert_eq!(judged(&format!("{v1}{v2}"), false), both);
        assert_eq!(
            judged("", false),
            "error: no hierarchy of control groups is mounted"
        );
    }

    #[test]
    fn missing_controllers_are_named() {
        let cgroups = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n\
             cpuset\t3\t1\t1\ncpu\t1\t1\t1\nmemory\t4\t39\t0\npids\t8\t1\t1\n";
        let controllers = enabled_controllers(cgroups);
        assert_eq!(controllers, ["cpuset", "cpu", "pids"]);
        assert_eq!(
            told(&judge_controllers(&controllers)),
            "error: the kernel has no control of memory"
        );
        let all = NEEDED.map(str::to_owned);
        assert_eq!(
            told(&judge_controllers(&all)),
            "passed: cpu, cpuset, memory, pids"
        );
    }

    #[test]
    fn old_kernels_have_no_namespaces_of_control_groups() {
        assert_eq!(told(&judge_namespaces(true)), "passed: the kernel has them");
        assert_eq!(
            told(&judge_namespaces(false)),
            "error: the kernel has no namespaces of control groups"
        );
    }
}
