//! Memory, and space on disks.

use std::path::Path;

use super::facts::{Host, Planned};
use crate::access::{Room, measure_room};
use crate::doctor::outcome::{Outcome, Problem};

/// Bytes below which a node's first minute fails: etcd alone makes two files of 64 MiB.
const CONTROL_PLANE_SPACE: u64 = 160 << 20;
const WORKER_SPACE: u64 = 40 << 20;
/// What temporary files take at least.
const TEMPORARY_SPACE: u64 = 100 << 20;
/// What a new cluster and a few images take where nodes are kept.
const LITTLE_SPACE: u64 = 2 << 30;
/// Logs and archives that are temporary.
const LITTLE_TEMPORARY: u64 = 500 << 20;
const FEW_FILES: u64 = 20_000;
/// What Kubernetes takes before anything runs on it.
const CONTROL_PLANE_MEMORY: u64 = 700 << 20;
const WORKER_MEMORY: u64 = 250 << 20;
/// Below that the kernel ends some of its programs.
const LEAST_CONTROL_PLANE_MEMORY: u64 = 350 << 20;
const LEAST_WORKER_MEMORY: u64 = 100 << 20;

pub(super) fn look_at_memory(host: &Host) -> Outcome {
    let available = host
        .text("proc/meminfo")
        .and_then(|text| available_memory(&text));
    match available.filter(|_| host.has_nodes()) {
        Some(available) => judge_memory(available, host.planned),
        None => Outcome::skipped("nodes would not run on this kernel"),
    }
}

/// Bytes that programs could have, out of `/proc/meminfo`: those that could be swapped too.
fn available_memory(meminfo: &str) -> Option<u64> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    };
    Some(bytes("MemAvailable:")? + bytes("SwapFree:").unwrap_or(0))
}

fn judge_memory(available: u64, planned: Planned) -> Outcome {
    let least = planned.sum(LEAST_CONTROL_PLANE_MEMORY, LEAST_WORKER_MEMORY);
    let needed = planned.sum(CONTROL_PLANE_MEMORY, WORKER_MEMORY);
    let told = format!("{} of memory are available", format_size(available));
    if available >= needed {
        return Outcome::Passed(told);
    }
    let expected = |bytes| format!("{}, which {} takes", format_size(bytes), planned.describe());
    let remedy = "stop clusters that are not in use (`kind stop cluster`) and other programs, or make fewer nodes";
    if available < least {
        Problem::error(told, expected(least), remedy).into()
    } else {
        Problem::warning(told, expected(needed), remedy).into()
    }
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
    let wanted = Wanted {
        least: host.planned.sum(CONTROL_PLANE_SPACE, WORKER_SPACE),
        enough: LITTLE_SPACE,
    };
    look_at_disk(host, Path::new(&info.storage_dir), wanted, &remedy)
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
    let wanted = Wanted {
        least: TEMPORARY_SPACE,
        enough: LITTLE_TEMPORARY,
    };
    look_at_disk(host, directory, wanted, &remedy)
}

/// Bytes that are wanted on a disk.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// With less nothing works.
    least: u64,
    enough: u64,
}

fn look_at_disk(host: &Host, directory: &Path, wanted: Wanted, remedy: &str) -> Outcome {
    match measure_room(&host.path(directory)) {
        Some(room) => judge_disk(&directory.display().to_string(), room, wanted, remedy),
        None => Outcome::skipped(format!("{} cannot be looked at", directory.display())),
    }
}

fn judge_disk(directory: &str, room: Room, wanted: Wanted, remedy: &str) -> Outcome {
    let told = format!("{} are free in {directory}", format_size(room.bytes));
    let expected = format!("{} or more", format_size(wanted.enough));
    if room.bytes < wanted.least {
        return Problem::error(told, expected, remedy).into();
    }
    if room.bytes < wanted.enough {
        return Problem::warning(told, expected, remedy).into();
    }
    if let Some(files) = room.files.filter(|files| *files < FEW_FILES) {
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
        let swapping = format!("{meminfo}SwapTotal: 9 kB\nSwapFree: 1048576 kB\n");
        assert_eq!(available_memory(&swapping), Some(3 << 30));
        let judged = |workers| {
            let planned = Planned {
                control_planes: 1,
                workers,
            };
            told(&judge_memory(available, planned))
        };
        assert_eq!(judged(1), "passed: 2.0 GiB of memory are available");
        assert_eq!(judged(9), "warning: 2.0 GiB of memory are available");
        assert_eq!(judged(99), "error: 2.0 GiB of memory are available");
    }

    #[test]
    fn disks_are_judged_by_bytes_and_files() {
        let wanted = Wanted {
            least: CONTROL_PLANE_SPACE,
            enough: LITTLE_SPACE,
        };
        let judged =
            |bytes, files| told(&judge_disk("/a", Room { bytes, files }, wanted, "remove"));
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
