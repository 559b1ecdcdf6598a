//! Watching files: each user of the kernel may have so many instances of inotify, and so many watches. Programs of a
//! node without one fail with "too many open files", mostly much later.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::facts::{Host, Planned};
use crate::doctor::fix::{Fix, sysctl_remedy};
use crate::doctor::outcome::{Outcome, Problem};

const INSTANCES: &str = "fs.inotify.max_user_instances";
const WATCHES: &str = "fs.inotify.max_user_watches";
/// What a node takes once it runs: systemd, containerd, the kubelet, kube-proxy and the control plane.
const CONTROL_PLANE_INSTANCES: u64 = 17;
const WORKER_INSTANCES: u64 = 11;
/// The same of watches, most of which the kubelet has on control groups.
const CONTROL_PLANE_WATCHES: u64 = 400;
const WORKER_WATCHES: u64 = 250;
/// A limit that is enough for everybody.
const GOOD_INSTANCES: u64 = 512;
const GOOD_WATCHES: u64 = 524_288;
/// Older kernels give 8192, which a few nodes use up; newer ones give by memory.
const FEW_WATCHES: u64 = 65_536;

/// What decides about instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instances {
    limit: u64,
    /// How many the user of nodes has; `None` if that may not be seen.
    used: Option<u64>,
    /// How many of those that nodes take could be made just now; `None` if the user of nodes is another one.
    can_be_made: Option<u64>,
}

/// What decides about watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Watches {
    limit: u64,
    /// How many the user of nodes has; `None` if that may not be seen.
    used: Option<u64>,
}

pub(super) fn look_at_instances(host: &Host) -> Outcome {
    let limit = host.number("proc/sys/fs/inotify/max_user_instances");
    let Some(limit) = limit.filter(|_| host.has_nodes()) else {
        return Outcome::skipped("nodes would not run on this kernel");
    };
    let uid = host.nodes_uid();
    let needed = host.planned.sum(CONTROL_PLANE_INSTANCES, WORKER_INSTANCES);
    let instances = Instances {
        limit,
        used: count_instances(&host.path("proc"), uid),
        can_be_made: (uid == host.uid).then(|| count_free_instances(needed)),
    };
    judge_instances(instances, host.planned)
}

fn judge_instances(instances: Instances, planned: Planned) -> Outcome {
    let Instances {
        limit,
        used,
        can_be_made,
    } = instances;
    let needed = planned.sum(CONTROL_PLANE_INSTANCES, WORKER_INSTANCES);
    let good = (used.unwrap_or(limit) + 2 * needed)
        .next_power_of_two()
        .max(GOOD_INSTANCES);
    let told = match used {
        Some(used) => format!("{used} of {limit} instances of inotify are in use"),
        None => format!("a user may have {limit} instances of inotify"),
    };
    // What was counted need not be what the kernel counts: programs share instances, and other namespaces have the same user.
    let free = can_be_made.unwrap_or(limit.saturating_sub(used.unwrap_or(0)));
    if free >= needed {
        return Outcome::Passed(told);
    }
    let found = match can_be_made {
        Some(0) => {
            format!("no instance of inotify can be made any more (a user may have {limit})")
        }
        Some(free) => {
            format!("only {free} more instances of inotify can be made (a user may have {limit})")
        }
        None => told,
    };
    let expected = format!("{needed} that are free, which {} takes", planned.describe());
    Problem::error(found, expected, sysctl_remedy(INSTANCES, good))
        .with_fix(Fix::set_sysctl(INSTANCES, good))
        .into()
}

pub(super) fn look_at_watches(host: &Host) -> Outcome {
    let limit = host.number("proc/sys/fs/inotify/max_user_watches");
    match limit.filter(|_| host.has_nodes()) {
        Some(limit) => {
            let used = count_watches(&host.path("proc"), host.nodes_uid());
            judge_watches(Watches { limit, used }, host.planned)
        }
        None => Outcome::skipped("nodes would not run on this kernel"),
    }
}

fn judge_watches(Watches { limit, used }: Watches, planned: Planned) -> Outcome {
    let needed = planned.sum(CONTROL_PLANE_WATCHES, WORKER_WATCHES);
    let told = match used {
        Some(used) => format!("{used} of {limit} files that a user may watch are watched"),
        None => format!("a user may watch {limit} files"),
    };
    let good = (used.unwrap_or(0) + 2 * needed)
        .next_power_of_two()
        .max(GOOD_WATCHES);
    let (fix, remedy) = (Fix::set_sysctl(WATCHES, good), sysctl_remedy(WATCHES, good));
    if limit.saturating_sub(used.unwrap_or(0)) < needed {
        let expected = format!("{needed} more, which {} takes", planned.describe());
        return Problem::error(told, expected, remedy).with_fix(fix).into();
    }
    if limit < FEW_WATCHES {
        let expected = format!("{FEW_WATCHES} or more");
        return Problem::warning(told, expected, remedy)
            .with_fix(fix)
            .into();
    }
    Outcome::Passed(told)
}

/// Instances that the processes of a user hold; `None` if they do not all show them.
fn count_instances(proc: &Path, uid: u32) -> Option<u64> {
    let held = find_instances(proc, uid)?;
    Some(held.len() as u64)
}

/// Watches of the instances that the processes of a user hold; `None` if they do not all show them.
fn count_watches(proc: &Path, uid: u32) -> Option<u64> {
    let held = find_instances(proc, uid)?;
    let watches = held.iter().map(|(process, file)| {
        let told = fs::read_to_string(process.join("fdinfo").join(file)).unwrap_or_default();
        let watches = told.lines().filter(|line| line.starts_with("inotify "));
        watches.count() as u64
    });
    Some(watches.sum())
}

/// Processes of a user and their files that are instances.
fn find_instances(proc: &Path, uid: u32) -> Option<Vec<(PathBuf, OsString)>> {
    let mut held = Vec::new();
    for entry in fs::read_dir(proc).ok()?.flatten() {
        let is_process = entry.file_name().as_encoded_bytes()[0].is_ascii_digit();
        if !is_process || entry.metadata().map_or(true, |found| found.uid() != uid) {
            continue;
        }
        match fs::read_dir(entry.path().join("fd")) {
            Ok(files) => {
                let files = files.flatten().filter(|file| {
                    fs::read_link(file.path())
                        .is_ok_and(|target| target.as_os_str() == "anon_inode:inotify")
                });
                held.extend(files.map(|file| (entry.path(), file.file_name())));
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return None,
            // It has ended meanwhile.
            Err(_) => {}
        }
    }
    Some(held)
}

/// How many of so many instances can be made: they are, for a moment. The kernel says the same of a process with too many
/// open files, which then could open nothing at all.
#[cfg(target_os = "linux")]
fn count_free_instances(wanted: u64) -> u64 {
    use rustix::fs::inotify::{CreateFlags, init};
    let mut made = Vec::new();
    while (made.len() as u64) < wanted {
        match init(CreateFlags::CLOEXEC) {
            Ok(instance) => made.push(instance),
            Err(rustix::io::Errno::MFILE) if fs::File::open("/proc/self/stat").is_ok() => break,
            Err(_) => return wanted,
        }
    }
    made.len() as u64
}

#[cfg(not(target_os = "linux"))]
fn count_free_instances(wanted: u64) -> u64 {
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::{told, write};

    fn judged(limit: u64, used: Option<u64>, can_be_made: Option<u64>, planned: Planned) -> String {
        let instances = Instances {
            limit,
            used,
            can_be_made,
        };
        told(&judge_instances(instances, planned))
    }

    #[test]
    fn instances_are_counted_against_what_nodes_take() {
        let one = Planned::ONE_NODE;
        let nine = Planned {
            control_planes: 3,
            workers: 6,
        };
        for (used, planned, verdict) in [
            (20, one, "passed"),
            (111, one, "passed"),
            (112, one, "error"),
            (11, nine, "passed"),
            (12, nine, "error"),
        ] {
            let expected = format!("{verdict}: {used} of 128 instances of inotify are in use");
            assert_eq!(judged(128, Some(used), None, planned), expected);
        }
    }

    /// As three nodes on a host of 128 instances, of which others have 94: without this they ended after four minutes.
    #[test]
    fn kube_proxy_finds_no_instance_of_inotify() {
        let three = Planned {
            control_planes: 1,
            workers: 2,
        };
        let found = "error: only 34 more instances of inotify can be made (a user may have 128)";
        assert_eq!(judged(128, Some(94), Some(34), three), found);
        // Several programs that share an instance were counted as if each had one.
        let passed = "passed: 94 of 128 instances of inotify are in use";
        assert_eq!(judged(128, Some(94), Some(39), three), passed);
    }

    #[test]
    fn what_others_use_may_be_unknown() {
        let one = Planned::ONE_NODE;
        let of = |limit| format!("a user may have {limit} instances of inotify");
        assert_eq!(judged(128, None, None, one), format!("passed: {}", of(128)));
        assert_eq!(judged(16, None, None, one), format!("error: {}", of(16)));
        // What was counted may be less than what the kernel counts: other namespaces have the same user.
        assert_eq!(
            judged(128, Some(3), Some(0), one),
            "error: no instance of inotify can be made any more (a user may have 128)"
        );
    }

    #[test]
    fn the_remedy_is_enough() {
        let instances = Instances {
            limit: 512,
            used: Some(505),
            can_be_made: Some(7),
        };
        let Outcome::Problems(problems) = judge_instances(instances, Planned::ONE_NODE) else {
            panic!("nothing was found");
        };
        let fix = problems[0].fix.as_ref().unwrap();
        assert_eq!(fix.title(), "set fs.inotify.max_user_instances to 1024");
        assert!(problems[0].check.remedy.contains("max_user_instances=1024"));
    }

    #[test]
    fn free_instances_are_tried() {
        assert_eq!(count_free_instances(2), 2);
        assert_eq!(count_free_instances(0), 0);
    }

    #[test]
    fn few_watches_are_told() {
        let judged = |limit, used| told(&judge_watches(Watches { limit, used }, Planned::ONE_NODE));
        assert_eq!(
            judged(192_536, None),
            "passed: a user may watch 192536 files"
        );
        assert_eq!(judged(8192, None), "warning: a user may watch 8192 files");
        assert_eq!(judged(300, None), "error: a user may watch 300 files");
        let used = "files that a user may watch are watched";
        assert_eq!(
            judged(65_536, Some(65_200)),
            format!("error: 65200 of 65536 {used}")
        );
        assert_eq!(
            judged(65_536, Some(60_000)),
            format!("passed: 60000 of 65536 {used}")
        );
    }

    #[test]
    fn processes_of_the_user_are_counted() {
        let proc = tempfile::tempdir().unwrap();
        let uid = fs::metadata(proc.path()).unwrap().uid();
        write(proc.path(), "version", "Linux");
        for (process, links) in [("7", 2), ("8", 1)] {
            let files = proc.path().join(process).join("fd");
            fs::create_dir_all(&files).unwrap();
            for link in 0..links {
                std::os::unix::fs::symlink("anon_inode:inotify", files.join(link.to_string()))
                    .unwrap();
            }
            std::os::unix::fs::symlink("/dev/null", files.join("9")).unwrap();
            let told = "pos:\t0\ninotify wd:2 ino:3\ninotify wd:1 ino:4\n";
            write(proc.path(), &format!("{process}/fdinfo/0"), told);
        }
        assert_eq!(count_instances(proc.path(), uid), Some(3));
        assert_eq!(count_watches(proc.path(), uid), Some(4));
        assert_eq!(count_instances(proc.path(), uid + 1), Some(0));
        assert_eq!(count_instances(&proc.path().join("none"), uid), None);
    }
}
