//! Memory, and space on disks.

use std::path::Path;

use super::facts::Host;
use crate::doctor::outcome::{Outcome, Problem};

/// Bytes below which a node's first minute fails.
const NO_SPACE: u64 = 100 << 20;
/// What a new cluster and a few images take where nodes are kept.
const LITTLE_SPACE: u64 = 2 << 30;
/// Logs and archives that are temporary.
const LITTLE_TEMPORARY: u64 = 500 << 20;
const FEW_FILES: u64 = 20_000;
/// What Kubernetes takes before anything runs on it.
const CONTROL_PLANE_MEMORY: u64 = 700 << 20;
const WORKER_MEMORY: u64 = 250 << 20;

/// A filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Space {
    free: u64,
    /// Files that may be made; `None` where there is no limit.
    free_files: Option<u64>,
}

pub(super) fn look_at_memory(host: &Host) -> Outcome {
    let available = host
        .text("proc/meminfo")
        .and_then(|text| available_memory(&text));
    match available.filter(|_| host.has_nodes()) {
        Some(available) => {
            let needed = host.planned.sum(CONTROL_PLANE_MEMORY, WORKER_MEMORY);
            judge_memory(available, needed, &host.planned.describe())
        }
        None => Outcome::skipped("nodes would not run on this kernel"),
    }
}

/// Bytes that programs could have, out of `/proc/meminfo`.
fn available_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn judge_memory(available: u64, needed: u64, nodes: &str) -> Outcome {
    let told = format!("{} of memory are available", format_size(available));
    if available >= needed {
        return Outcome::Passed(told);
    }
    let expected = format!("{}, which {nodes} takes", format_size(needed));
    let remedy = "stop clusters that are not in use (`kind stop cluster`) and other programs, or make fewer nodes";
    Problem::warning(told, expected, remedy).into()
}

/// Where the engine that would be used keeps nodes and images.
pub(super) fn look_at_engine_disk(host: &Host) -> Outcome {
    let Some(info) = host.engines().info() else {
        return Outcome::skipped("no engine answers");
    };
    if info.storage_dir.is_empty() || !host.has_nodes() {
        return Outcome::skipped("the engine does not tell where it keeps nodes on this host");
    }
    let remedy = if host.engines().used().is_native() {
        "`kind prune` removes what no cluster uses; KIND_STATE_DIR names a directory on another disk".to_owned()
    } else {
        let name = host.engines().used().name;
        format!("`kind prune` and `{name} system prune` remove what nobody uses")
    };
    look_at_disk(host, Path::new(&info.storage_dir), LITTLE_SPACE, &remedy)
}

pub(super) fn look_at_temporary_disk(host: &Host) -> Outcome {
    let directory = &host.settings.temporary_dir;
    let remedy = format!(
        "remove what is not needed below {}, or set TMPDIR to a directory on another disk",
        directory.display()
    );
    if crate::access::may_make_files_in(directory).is_err() {
        let found = format!("you may not write to {}", directory.display());
        let expected = "a directory for temporary files";
        return Problem::error(found, expected, remedy).into();
    }
    look_at_disk(host, directory, LITTLE_TEMPORARY, &remedy)
}

fn look_at_disk(host: &Host, directory: &Path, enough: u64, remedy: &str) -> Outcome {
    let place = host.path(directory);
    let existing = place.ancestors().find(|path| path.exists());
    let measured = existing.and_then(measure_space);
    match measured {
        Some(space) => judge_disk(&directory.display().to_string(), space, enough, remedy),
        None => Outcome::skipped(format!("{} cannot be looked at", directory.display())),
    }
}

fn measure_space(path: &Path) -> Option<Space> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(Space {
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        free_files: (stat.f_files > 0).then_some(stat.f_favail),
    })
}

fn judge_disk(directory: &str, space: Space, enough: u64, remedy: &str) -> Outcome {
    let free = format_size(space.free);
    let told = format!("{free} are free in {directory}");
    if space.free < NO_SPACE {
        return Problem::error(told, format!("{} or more", format_size(enough)), remedy).into();
    }
    if space.free < enough {
        return Problem::warning(told, format!("{} or more", format_size(enough)), remedy).into();
    }
    if let Some(files) = space.free_files.filter(|files| *files < FEW_FILES) {
        let found = format!("only {files} more files can be made in {directory}");
        return Problem::warning(found, format!("{FEW_FILES} or more"), remedy).into();
    }
    Outcome::Passed(told)
}

/// Bytes as people read them.
fn format_size(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 30;
    if tenths >= 10 {
        format!("{}.{} GiB", tenths / 10, tenths % 10)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn memory_is_read_and_judged() {
        let meminfo = "MemTotal:       24576000 kB\nMemAvailable:    2097152 kB\n";
        let available = available_memory(meminfo).unwrap();
        assert_eq!(available, 2 << 30);
        let judged = |needed| told(&judge_memory(available, needed, "a cluster of one node"));
        assert_eq!(judged(1 << 30), "passed: 2.0 GiB of memory are available");
        assert_eq!(judged(3 << 30), "warning: 2.0 GiB of memory are available");
    }

    #[test]
    fn disks_are_judged_by_bytes_and_files() {
        let judged = |free, free_files| {
            told(&judge_disk(
                "/a",
                Space { free, free_files },
                LITTLE_SPACE,
                "remove",
            ))
        };
        assert_eq!(
            judged(8 << 30, Some(1 << 20)),
            "passed: 8.0 GiB are free in /a"
        );
        assert_eq!(judged(8 << 30, None), "passed: 8.0 GiB are free in /a");
        assert_eq!(judged(300 << 20, None), "warning: 300 MiB are free in /a");
        assert_eq!(judged(50 << 20, None), "error: 50 MiB are free in /a");
        assert_eq!(
            judged(8 << 30, Some(7)),
            "warning: only 7 more files can be made in /a"
        );
    }

    #[test]
    fn sizes_are_read_by_people() {
        for (bytes, text) in [
            (0, "0 MiB"),
            ((1 << 30) - 1, "1023 MiB"),
            (3 << 29, "1.5 GiB"),
            (u64::MAX, "1717986918.3 GiB"),
        ] {
            assert_eq!(format_size(bytes), text);
        }
    }
}
