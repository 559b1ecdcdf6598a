//! The logs of containers of static pods.
//!
//! The kubelet writes `PODS/NAMESPACE_POD_UID/CONTAINER/N.log`, a new number each time that it starts a container
//! again, and soon removes the ones before. A number above 0 so tells that a container has ended.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

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

/// A container that has been started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Restarted {
    /// Its name, for example `etcd`.
    pub(super) container: String,
    /// How often it has been.
    pub(super) restarts: u32,
    /// The latest log.
    pub(super) path: PathBuf,
    /// Its end, without what the runtime puts before each line.
    pub(super) log: String,
}

/// Containers of the control plane that have been started again, below `/var/log/pods`.
pub(super) fn find_restarted(pods: &Path) -> Vec<Restarted> {
    let pods = entries(pods).filter(|path| name_of(path).starts_with(PREFIX));
    let containers = pods.flat_map(|pod| entries(&pod).collect::<Vec<_>>());
    let mut restarted: Vec<_> = containers
        .filter_map(|path| read_restarted(&path))
        .collect();
    restarted.sort_by(|a, b| a.container.cmp(&b.container));
    restarted
}

fn read_restarted(directory: &Path) -> Option<Restarted> {
    let container = name_of(directory);
    if !CONTROL_PLANE.contains(&container.as_str()) {
        return None;
    }
    let number = |path: &PathBuf| name_of(path).strip_suffix(".log")?.parse::<u32>().ok();
    let logs = entries(directory).filter_map(|path| Some((number(&path)?, path)));
    let (restarts, path) = logs.max()?;
    if restarts == 0 {
        return None;
    }
    let log = strip_prefixes(&read_tail(&path).ok()?);
    Some(Restarted {
        container,
        restarts,
        path,
        log,
    })
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
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
    use super::*;

    #[test]
    fn only_what_was_started_again_is_found() {
        let pods = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = pods.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let line = "2026-11-28T22:01:00.606109275Z stderr F Error: unknown flag: --a\n";
        write("kube-system_etcd-a_1/etcd/0.log", line);
        write(
            "kube-system_kube-apiserver-a_2/kube-apiserver/9.log",
            "old\n",
        );
        write("kube-system_kube-apiserver-a_2/kube-apiserver/10.log", line);
        write("kube-system_kube-proxy-x_3/kube-proxy/4.log", line);
        write("default_etcd_4/etcd/4.log", line);
        write(
            "kube-system_kube-scheduler-a_5/kube-scheduler/notes.txt",
            line,
        );
        let found = find_restarted(pods.path());
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(
            (found[0].container.as_str(), found[0].restarts),
            ("kube-apiserver", 10)
        );
        assert_eq!(found[0].log, "Error: unknown flag: --a\n");
        assert_eq!(find_restarted(&pods.path().join("none")), []);
    }
}
