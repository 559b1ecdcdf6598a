//! What the kubelet takes for its machine, on a node that may use only a part of it.
//!
//! The kubelet calls a node's capacity what the kernel tells of the whole machine: the processors in
//! `/sys/devices/system/node` and the memory in `/proc/meminfo`. Both are covered by what the node's cgroup
//! leaves of them, before every start of the kubelet, because mounts end with the node. Containers see the host's
//! as ever: they have filesystems of their own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;

use kind_sys::mount;
use kind_sys::mountinfo::{self, Mount};

/// Where covers are kept, and what they hide.
const STATE_DIRECTORY: &str = "/run/kind";
const MEMORY: &str = "/proc/meminfo";
const PROCESSORS: &str = "/proc/cpuinfo";
const ONLINE: &str = "/sys/devices/system/cpu/online";
const NUMA_NODES: &str = "/sys/devices/system/node";
/// Lines of `/proc/meminfo` that cannot be more than there is.
const BOUNDED: [&str; 5] = ["MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached"];

/// Shows the limits of the node's cgroup as the size of the machine.
pub(crate) fn run_show_limits() -> ExitCode {
    match show_limits() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => crate::usage::exit_with_failure(&format!(
            "show the kubelet what the node may use: {error}"
        )),
    }
}

fn show_limits() -> io::Result<()> {
    let mounts = mountinfo::read()?;
    if let Some(bytes) = memory_limit(&mounts) {
        show_memory(bytes >> 10)?;
    }
    if let Some(millis) = processor_limit(&mounts) {
        let count = usize::try_from(millis.div_ceil(1000)).unwrap_or(usize::MAX);
        show_processors(count)?;
    }
    Ok(())
}

/// Bytes that the node's cgroup may use.
fn memory_limit(mounts: &[Mount]) -> Option<u64> {
    let limit = match find_hierarchy(mounts, "memory")? {
        (root, Version::V1) => read_word(&root.join("memory.limit_in_bytes")),
        (root, Version::V2) => read_word(&root.join("memory.max")),
    };
    limit?.parse().ok()
}

/// Thousandths of a processor that the node's cgroup may use.
fn processor_limit(mounts: &[Mount]) -> Option<u64> {
    match find_hierarchy(mounts, "cpu")? {
        (root, Version::V1) => parse_share(
            &read_word(&root.join("cpu.cfs_quota_us"))?,
            &read_word(&root.join("cpu.cfs_period_us"))?,
        ),
        (root, Version::V2) => {
            let text = read_word(&root.join("cpu.max"))?;
            let (quota, period) = text.split_once(' ')?;
            parse_share(quota, period)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// The root of the hierarchy with a controller: the node's own group, as the node sees it.
fn find_hierarchy<'a>(mounts: &'a [Mount], controller: &str) -> Option<(&'a Path, Version)> {
    let has = |mount: &&Mount| mount.options.iter().any(|option| option == controller);
    let v1 = mounts.iter().filter(|mount| mount.filesystem == "cgroup");
    if let Some(mount) = v1.clone().find(has) {
        return Some((&mount.target, Version::V1));
    }
    let v2 = mounts.iter().find(|mount| mount.filesystem == "cgroup2")?;
    Some((&v2.target, Version::V2))
}

/// A file's only line; `None` if there is no such file.
fn read_word(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// Thousandths of a processor; a quota of `max` or -1 is none.
fn parse_share(quota: &str, period: &str) -> Option<u64> {
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    quota.checked_mul(1000)?.checked_div(period)
}

fn show_memory(kib: u64) -> io::Result<()> {
    let Some(text) = limited_memory(&fs::read_to_string(MEMORY)?, kib) else {
        return Ok(());
    };
    keep_whole("proc")?;
    cover_file(MEMORY, &text)
}

/// `/proc/meminfo` of a machine with so much memory; `None` if it has no more.
fn limited_memory(text: &str, kib: u64) -> Option<String> {
    if total_memory(text)? <= kib {
        return None;
    }
    let lines = text.lines().map(|line| {
        let bounded = BOUNDED.iter().find(|name| {
            let rest = line.strip_prefix(*name);
            rest.is_some_and(|rest| rest.starts_with(':'))
        });
        match (bounded, value_of(line)) {
            (Some(name), Some(value)) => {
                let name = format!("{name}:");
                format!("{name:<16}{:>8} kB\n", value.min(kib))
            }
            (None, _) | (_, None) => format!("{line}\n"),
        }
    });
    Some(lines.collect())
}

fn total_memory(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    value_of(line)
}

fn value_of(line: &str) -> Option<u64> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Shows the first `count` processors only.
fn show_processors(count: usize) -> io::Result<()> {
    let all = shown_processors()?;
    if all.len() <= count {
        return Ok(());
    }
    let shown: Vec<usize> = all.into_iter().take(count).collect();
    let memory = total_memory(&fs::read_to_string(MEMORY)?).unwrap_or_default();
    let nodes = Path::new(STATE_DIRECTORY).join("node");
    write_numa_node(&nodes, &shown, memory)?;
    let processors = limited_processors(&fs::read_to_string(PROCESSORS)?, &shown);
    for filesystem in ["proc", "sys"] {
        keep_whole(filesystem)?;
    }
    mount::bind_read_only(&nodes, Path::new(NUMA_NODES))?;
    cover_file(PROCESSORS, &processors)
}

/// The processors that the kubelet would count now: in NUMA nodes, and online.
fn shown_processors() -> io::Result<BTreeSet<usize>> {
    let online = parse_list(&fs::read_to_string(ONLINE)?);
    let mut shown = BTreeSet::new();
    for node in numbered_entries(Path::new(NUMA_NODES), "node")? {
        let node = Path::new(NUMA_NODES).join(format!("node{node}"));
        shown.extend(numbered_entries(&node, "cpu")?);
    }
    shown.retain(|processor| online.contains(processor));
    Ok(shown)
}

/// Numbers of the entries of a directory that are called so. A kernel without NUMA has no such directory.
fn numbered_entries(directory: &Path, name: &str) -> io::Result<Vec<usize>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let numbers = entries.flatten().filter_map(|entry| {
        let entry = entry.file_name();
        entry.to_str()?.strip_prefix(name)?.parse().ok()
    });
    Ok(numbers.collect())
}

/// The numbers of a list such as `0-3,8`.
fn parse_list(text: &str) -> BTreeSet<usize> {
    let parts = text.trim().split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    parts.flatten().collect()
}

/// Writes what `/sys/devices/system/node` is on a machine with one NUMA node of these processors.
fn write_numa_node(directory: &Path, processors: &[usize], kib: u64) -> io::Result<()> {
    let node = directory.join("node0");
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(&node)?,
    }
    for processor in processors {
        let name = format!("cpu{processor}");
        symlink(Path::new("../../cpu").join(&name), node.join(name))?;
    }
    fs::write(node.join("meminfo"), format!("Node 0 MemTotal: {kib} kB\n"))?;
    for name in ["online", "possible", "has_cpu", "has_memory"] {
        fs::write(directory.join(name), "0\n")?;
    }
    Ok(())
}

/// `/proc/cpuinfo` of a machine with these processors.
fn limited_processors(text: &str, shown: &[usize]) -> String {
    let kept = text.split_inclusive("\n\n").filter(|block| {
        let line = block.lines().find(|line| line.starts_with("processor"));
        let number = line.and_then(|line| line.split_once(':')?.1.trim().parse().ok());
        number.is_none_or(|number| shown.contains(&number))
    });
    kept.collect()
}

/// Shows a text in the place of a file.
fn cover_file(path: &str, text: &str) -> io::Result<()> {
    let path = Path::new(path);
    let cover = Path::new(STATE_DIRECTORY).join(path.file_name().unwrap_or_default());
    fs::write(&cover, text)?;
    mount::bind_read_only(&cover, path)
}

/// Keeps a view of a filesystem of which nothing is covered: the kernel lets a pod with a user namespace mount one
/// of its own only where it could see all of it anyway.
fn keep_whole(filesystem: &str) -> io::Result<()> {
    let kept = Path::new(STATE_DIRECTORY).join(filesystem);
    fs::create_dir_all(&kept)?;
    if fs::read_dir(&kept)?.next().is_some() {
        return Ok(());
    }
    mount::bind(&Path::new("/").join(filesystem), &kept)
}

#[cfg(test)]
mod tests {
    use kind_testkit::machine::require_root;

    use super::*;

    const MEMINFO: &str = "MemTotal:       24683652 kB\nMemFree:         6139488 kB\n\
                           MemAvailable:   20550500 kB\nBuffers:           74484 kB\n\
                           SwapTotal:       4194300 kB\nHugePages_Total:       0\n";

    #[test]
    fn memory_is_what_the_node_may_use() {
        let limited = limited_memory(MEMINFO, 2 << 20).unwrap();
        assert_eq!(
            limited,
            "MemTotal:        2097152 kB\nMemFree:         2097152 kB\nMemAvailable:    2097152 kB\n\
             Buffers:           74484 kB\nSwapTotal:       4194300 kB\nHugePages_Total:       0\n"
        );
        // Shown already, or a limit beyond what there is: version 1's way to say that there is none.
        assert_eq!(limited_memory(&limited, 2 << 20), None);
        assert_eq!(limited_memory(MEMINFO, u64::MAX >> 11), None);
    }

    #[test]
    fn processors_are_those_that_are_left() {
        let text =
            "processor\t: 0\nflags\t: a\n\nprocessor\t: 1\n\nprocessor\t: 12\n\nHardware\t: x\n";
        assert_eq!(
            limited_processors(text, &[0, 12]),
            "processor\t: 0\nflags\t: a\n\nprocessor\t: 12\n\nHardware\t: x\n"
        );
        assert_eq!(parse_list("0-2,8\n"), BTreeSet::from([0, 1, 2, 8]));
        assert_eq!(parse_list("\n"), BTreeSet::new());
    }

    #[test]
    fn a_quota_is_a_share_of_its_period() {
        assert_eq!(parse_share("150000", "100000"), Some(1500));
        assert_eq!(parse_share("5000", "10000"), Some(500));
        for unlimited in ["max", "-1"] {
            assert_eq!(parse_share(unlimited, "100000"), None);
        }
    }

    #[test]
    fn the_hierarchy_is_the_one_with_the_controller() {
        let mixed = mountinfo::parse(
            "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        );
        let cpu = Path::new("/sys/fs/cgroup/cpu,cpuacct");
        let unified = Path::new("/sys/fs/cgroup/unified");
        assert_eq!(find_hierarchy(&mixed, "cpu"), Some((cpu, Version::V1)));
        assert_eq!(
            find_hierarchy(&mixed, "memory"),
            Some((unified, Version::V2))
        );
        assert_eq!(find_hierarchy(&[], "cpu"), None);
    }

    #[test]
    fn a_machine_of_one_processor_is_shown() {
        require_root();
        // The thread, and with it the namespace, ends with the test.
        let test = std::thread::spawn(|| {
            kind_sys::namespace::unshare_mounts().unwrap();
            mount::make_all_private().unwrap();
            let none = rustix::mount::MountFlags::empty();
            mount::filesystem("tmpfs", Path::new("/run"), none, "mode=755").unwrap();
            fs::create_dir(STATE_DIRECTORY).unwrap();
            for _ in 0..2 {
                show_memory(300 << 10).unwrap();
                show_processors(1).unwrap();
            }
            let memory = fs::read_to_string(MEMORY).unwrap();
            assert_eq!(total_memory(&memory), Some(300 << 10));
            assert_eq!(shown_processors().unwrap().len(), 1);
            let processors = fs::read_to_string(PROCESSORS).unwrap();
            assert_eq!(processors.matches("processor").count(), 1, "{processors}");
            let core = Path::new(NUMA_NODES).join("node0/cpu0/topology/core_id");
            assert!(core.exists(), "links lead to the processors");
            let whole = fs::read_to_string("/run/kind/proc/meminfo").unwrap();
            assert!(total_memory(&whole).unwrap() > 300 << 10);
        });
        test.join().unwrap();
    }
}
