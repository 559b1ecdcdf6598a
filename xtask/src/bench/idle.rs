//! What a cluster costs while nobody looks: every process in its nodes.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Failure;

/// Until a new cluster has done what it does once.
const SETTLING: Duration = Duration::from_secs(15);

/// For how long it is watched.
const WINDOW: Duration = Duration::from_secs(45);

/// Ticks of the clock by which Linux counts processor time, a second.
const TICKS: f64 = 100.0;

/// What all processes in nodes take.
pub(super) struct Idle {
    /// Percents of a core.
    pub(super) cpu: f64,
    /// Megabytes, of shared memory each one's part.
    pub(super) memory: f64,
}

/// Watches the nodes of the only cluster in this world.
pub(super) fn measure() -> Result<Idle, Failure> {
    sleep(SETTLING);
    let (before, began) = (ticks(), Instant::now());
    sleep(WINDOW);
    let (after, took) = (ticks(), began.elapsed());
    let bytes: u64 = processes_of_nodes()
        .keys()
        .filter_map(|pid| resident(*pid))
        .sum();
    Ok(Idle {
        cpu: f64::from(after.saturating_sub(before)) / TICKS / took.as_secs_f64() * 100.0,
        memory: f64::from(u32::try_from(bytes / 1000)?) / 1000.0,
    })
}

/// Processor time of all processes in nodes. What ended counts where it was waited for.
fn ticks() -> u32 {
    processes_of_nodes()
        .values()
        .map(|process| process.ticks)
        .sum()
}

struct Process {
    parent: u32,
    ticks: u32,
}

/// The first processes of nodes and all that descend from them.
fn processes_of_nodes() -> BTreeMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut all: BTreeMap<_, _> = pids.filter_map(|pid| Some((pid, process(pid)?))).collect();
    let firsts: Vec<_> = all
        .keys()
        .copied()
        .filter(|pid| is_first_of_node(*pid))
        .collect();
    let in_node = |pid: u32| {
        let parent = |pid: &u32| all.get(pid).map(|process| process.parent);
        std::iter::successors(Some(pid), parent).any(|pid| firsts.contains(&pid))
    };
    let inside: Vec<_> = all.keys().copied().filter(|pid| in_node(*pid)).collect();
    all.retain(|pid, _| inside.contains(pid));
    all
}

fn process(pid: u32) -> Option<Process> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The fields of `proc(5)` after the name, which may hold anything: the second is the parent, those from the twelfth on
/// are time of its own and of children that were waited for.
fn parse_stat(text: &str) -> Option<Process> {
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some(Process {
        parent: number(1)?,
        ticks: (11..15).map(number).sum::<Option<u32>>()?,
    })
}

/// Whether it is what a node's engine has started: the first process of a namespace whose files are a node's.
fn is_first_of_node(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mut ids = status
        .lines()
        .filter_map(|line| line.strip_prefix("NSpid:"));
    let ids: Vec<_> = ids.next().unwrap_or_default().split_whitespace().collect();
    let is_first = ids.len() > 1 && ids.last() == Some(&"1");
    is_first && fs::exists(format!("/proc/{pid}/root/kind/version")).unwrap_or_default()
}

/// Bytes of memory, of what is shared its part.
fn resident(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes = line.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_children_counts() {
        let stat = "7 (a (b) c) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5 6 7";
        let process = parse_stat(stat).unwrap();
        assert_eq!((process.parent, process.ticks), (3, 100));
        assert!(parse_stat("7 (a) S 3").is_none());
    }
}
