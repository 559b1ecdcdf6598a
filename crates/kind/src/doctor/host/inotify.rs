//! Watching files: each user of the kernel may have so many instances of inotify, and so many watches. Programs of a
//! node without one fail with "too many open files", mostly much later.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::facts::{Host, Planned};
use crate::doctor::fix::{Fix, sysctl_remedy};
use crate::doctor::outcome::{Outcome, Problem};

const INSTANCES: &str = "fs.inotify.max_user_instances";
const WATCHES: &str = "fs.inotify.max_user_watches";
/// What a node takes once it runs: systemd, containerd, the kubelet, kube-proxy and the control plane.
const CONTROL_PLANE_INSTANCES: u64 = 17;
const WORKER_INSTANCES: u64 = 11;
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
    /// Whether one could be made just now; `None` if the user of nodes is another one.
    can_be_made: Option<bool>,
}

pub(super) fn look_at_instances(host: &Host) -> Outcome {
    let limit = host.number("proc/sys/fs/inotify/max_user_instances");
    let Some(limit) = limit.filter(|_| host.has_nodes()) else {
        return Outcome::skipped("nodes would not run on this kernel");
    };
    let uid = host.nodes_uid();
    let instances = Instances {
        limit,
        used: count_instances(&host.path("proc"), uid),
        can_be_made: (uid == host.uid).then(can_make_instance),
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
    let expected = format!("{needed} that are free, which {} takes", planned.describe());
    let fix = Fix::set_sysctl(INSTANCES, good);
    let remedy = sysctl_remedy(INSTANCES, good);
    if can_be_made == Some(false) {
        let found =
            format!("no instance of inotify can be made any more (a user may have {limit})");
        return Problem::error(found, expected, remedy).with_fix(fix).into();
    }
    if limit.saturating_sub(used.unwrap_or(0)) < needed {
        return Problem::warning(told, expected, remedy)
            .with_fix(fix)
            .into();
    }
    Outcome::Passed(told)
}

pub(super) fn look_at_watches(host: &Host) -> Outcome {
    let limit = host.number("proc/sys/fs/inotify/max_user_watches");
    match limit.filter(|_| host.has_nodes()) {
        Some(limit) => judge_watches(limit),
        None => Outcome::skipped("nodes would not run on this kernel"),
    }
}

fn judge_watches(limit: u64) -> Outcome {
    let told = format!("a user may watch {limit} files");
    if limit >= FEW_WATCHES {
        return Outcome::Passed(told);
    }
    let expected = format!("{FEW_WATCHES} or more");
    Problem::warning(told, expected, sysctl_remedy(WATCHES, GOOD_WATCHES))
        .with_fix(Fix::set_sysctl(WATCHES, GOOD_WATCHES))
        .into()
}

/// Instances that the processes of a user hold; `None` if they do not all show them.
fn count_instances(proc: &Path, uid: u32) -> Option<u64> {
    let mut count = 0;
    for entry in fs::read_dir(proc).ok()?.flatten() {
        let is_process = entry.file_name().as_encoded_bytes()[0].is_ascii_digit();
        if !is_process || entry.metadata().map_or(true, |found| found.uid() != uid) {
            continue;
        }
        match fs::read_dir(entry.path().join("fd")) {
            Ok(files) => {
                let targets = files
                    .flatten()
                    .filter_map(|file| fs::read_link(file.path()).ok());
                let ours = targets.filter(|target| target.as_os_str() == "anon_inode:inotify");
                count += ours.count() as u64;
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return None,
            // It has ended meanwhile.
            Err(_) => {}
        }
    }
    Some(count)
}

/// The kernel says the same of a process with too many open files, which then could open nothing at all.
#[cfg(target_os = "linux")]
fn can_make_instance() -> bool {
    use rustix::fs::inotify::{CreateFlags, init};
    let is_out = init(CreateFlags::CLOEXEC).is_err_and(|error| error == rustix::io::Errno::MFILE);
    !is_out || fs::File::open("/proc/self/stat").is_err()
}

#[cfg(not(target_os = "linux"))]
fn can_make_instance() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::{told, write};

    fn judged(
        limit: u64,
        used: Option<u64>,
        can_be_made: Option<bool>,
        planned: Planned,
    ) -> String {
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
            (112, one, "warning"),
            (11, nine, "passed"),
            (12, nine, "warning"),
        ] {
            let expected = format!("{verdict}: {used} of 128 instances of inotify are in use");
            assert_eq!(judged(128, Some(used), Some(true), planned), expected);
        }
    }

    #[test]
    fn what_others_use_may_be_unknown() {
        let one = Planned::ONE_NODE;
        let of = |limit| format!("a user may have {limit} instances of inotify");
        assert_eq!(judged(128, None, None, one), format!("passed: {}", of(128)));
        assert_eq!(judged(16, None, None, one), format!("warning: {}", of(16)));
        // What was counted may be less than what the kernel counts: other namespaces have the same user.
        assert_eq!(
            judged(128, Some(3), Some(false), one),
            "error: no instance of inotify can be made any more (a user may have 128)"
        );
    }

    #[test]
    fn the_remedy_is_enough() {
        let instances = Instances {
            limit: 512,
            used: Some(505),
            can_be_made: Some(true),
        };
        let Outcome::Problems(problems) = judge_instances(instances, Planned::ONE_NODE) else {
            panic!("nothing was found");
        };
        let fix = problems[0].fix.as_ref().unwrap();
        assert_eq!(fix.title(), "set fs.inotify.max_user_instances to 1024");
        assert!(problems[0].check.remedy.contains("max_user_instances=1024"));
    }

    #[test]
    fn few_watches_are_told() {
        assert_eq!(
            told(&judge_watches(192_536)),
            "passed: a user may watch 192536 files"
        );
        assert_eq!(
            told(&judge_watches(8192)),
            "warning: a user may watch 8192 files"
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
        }
        assert_eq!(count_instances(proc.path(), uid), Some(3));
        assert_eq!(count_instances(proc.path(), uid + 1), Some(0));
        assert_eq!(count_instances(&proc.path().join("none"), uid), None);
    }
}
