//! The logs of containers of static pods.
//!
//! The kubelet writes `PODS/NAMESPACE_POD_UID/CONTAINER/N.log`, a new number each time that it starts a container
//! again, and soon removes the ones before. It numbers on when the node itself is started again: a container has ended
//! where the log before its own is of this life of the node.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What the kubelet calls the namespace of the control plane.
const PREFIX: &str = "kube-system_";
/// Containers without which no cluster starts.
const CONTROL_PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];
/// What a program says last is short.
const LONGEST_TAIL: u64 = 64 * 1024;

/// A container's latest log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContainerLog {
    /// Its name, for example `etcd`.
    pub(super) container: String,
    /// The number of its log if it has been started again in this life of the node, and 0 otherwise.
    pub(super) restarts: u32,
    /// The file.
    pub(super) path: PathBuf,
    /// When something was written to it last.
    pub(super) modified: SystemTime,
    /// Its end, without what the runtime puts before each line.
    pub(super) log: String,
    /// The same of the run before in this life, as long as the kubelet keeps that.
    pub(super) previous: Option<String>,
}

/// The latest log of each of the control plane's containers, below `/var/log/pods`. Directories of pods whose manifest
/// has changed stay for a while beside those of their followers; what was written before `since` is of an earlier start.
pub(super) fn find_logs(pods: &Path, since: SystemTime) -> Vec<ContainerLog> {
    let mut latest = BTreeMap::new();
    for container in CONTROL_PLANE {
        let name = format!("{PREFIX}{container}-");
        let pods = read_entries(pods).filter(|path| name_of(path).starts_with(&name));
        let logs = pods.filter_map(|pod| read_log(&pod.join(container), since));
        let log = logs.max_by_key(|log| log.modified);
        latest.extend(log.map(|log| (container, log)));
    }
    latest.into_values().collect()
}

/// A container's latest log if something was written to it in this life.
fn read_log(directory: &Path, since: SystemTime) -> Option<ContainerLog> {
    let number = |path: &PathBuf| name_of(path).strip_suffix(".log")?.parse::<u32>().ok();
    let logs = read_entries(directory).filter_map(|path| Some((number(&path)?, path)));
    let (number, path) = logs.max()?;
    let modified = modified_at(&path).filter(|modified| *modified >= since)?;
    let before = directory.join(format!("{}.log", number.saturating_sub(1)));
    // One that is gone was removed because there were others since.
    let is_restart = number > 0 && modified_at(&before).is_none_or(|modified| modified >= since);
    let log = read_tail(&path).ok()?;
    let previous = is_restart.then(|| read_tail(&before).ok()).flatten();
    Some(ContainerLog {
        container: name_of(directory),
        restarts: if is_restart { number } else { 0 },
        path,
        modified,
        log: strip_prefixes(&log),
        previous: previous.map(|log| strip_prefixes(&log)),
    })
}

fn modified_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn read_entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read_tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_TAIL)))?;
    let mut tail = Vec::new();
    file.take(LONGEST_TAIL).read_to_end(&mut tail)?;
    Ok(String::from_utf8_lossy(&tail).into_owned())
}

/// Lines as the program wrote them: the runtime puts `TIME STREAM TAG ` before each.
fn strip_prefixes(log: &str) -> String {
    let lines = log
        .lines()
        .map(|line| line.splitn(4, ' ').nth(3).unwrap_or(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Writes a line to a log, so many seconds after a time.
    fn write_log(path: &Path, time: SystemTime, seconds: u64) {
        let line = "2026-11-28T22:01:00.606109275Z stderr F Error: unknown flag: --a\n";
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, line).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(time + Duration::from_secs(seconds))
            .unwrap();
    }

    #[test]
    fn the_latest_log_of_each_container_is_found() {
        let pods = tempfile::tempdir().unwrap();
        let begin = SystemTime::now();
        for (path, seconds) in [
            ("kube-system_etcd-a_1/etcd/0.log", 1),
            ("kube-system_kube-apiserver-a_2/kube-apiserver/9.log", 1),
            ("kube-system_kube-apiserver-a_2/kube-apiserver/10.log", 2),
            ("kube-system_kube-apiserver-a_old/kube-apiserver/30.log", 1),
            ("kube-system_kube-proxy-x_3/kube-proxy/4.log", 1),
            ("kube-system_mine-a_4/etcd/4.log", 3),
            ("default_etcd-a_5/etcd/4.log", 3),
            ("kube-system_kube-scheduler-a_6/kube-scheduler/notes.txt", 1),
        ] {
            write_log(&pods.path().join(path), begin, seconds);
        }
        let found = find_logs(pods.path(), begin);
        let counts = found
            .iter()
            .map(|log| (log.container.as_str(), log.restarts));
        let expected = [("etcd", 0), ("kube-apiserver", 10)];
        assert_eq!(counts.collect::<Vec<_>>(), expected);
        assert_eq!(found[1].log, "Error: unknown flag: --a\n");
        assert_eq!(found[1].previous, Some(found[1].log.clone()));
        assert_eq!(found[0].previous, None);
        assert_eq!(find_logs(pods.path(), begin + Duration::from_secs(5)), []);
        assert_eq!(find_logs(&pods.path().join("none"), begin), []);
    }

    #[test]
    fn a_node_that_is_started_again_has_not_restarted_its_containers() {
        let pods = tempfile::tempdir().unwrap();
        let etcd = pods.path().join("kube-system_etcd-a_1/etcd");
        let life = SystemTime::now();
        let find = |seconds| {
            let log = find_logs(pods.path(), life + Duration::from_secs(seconds)).remove(0);
            (log.restarts, log.previous.is_some())
        };
        write_log(&etcd.join("0.log"), life, 1);
        write_log(&etcd.join("1.log"), life, 6);
        assert_eq!(find(5), (0, false), "the log before is of its former life");
        write_log(&etcd.join("2.log"), life, 7);
        assert_eq!(find(5), (2, true));
        fs::remove_file(etcd.join("1.log")).unwrap();
        assert_eq!(find(5), (2, false), "it was removed for others that came");
    }
}
