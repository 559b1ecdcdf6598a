//! What is left of a cluster, wherever that may be.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kind_e2e::{Traces, limit};

use super::super::ground::{CLUSTER, Ground};
use crate::Failure;

/// Seconds that the kernel and daemons have to end what is dead.
const PATIENCE: u64 = 20;
/// What is deeper in the state directory is the content of images and of what was unpacked of them.
const DEPTH: usize = 3;
/// Settings of the kernel that are turned on for nodes.
const SETTINGS: [&str; 3] = [
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/default/forwarding",
    "/proc/sys/net/ipv6/conf/all/forwarding",
];

/// Where to look.
pub(super) struct Places<'a> {
    ground: &'a Ground,
    /// The cgroup that those of all nodes are in: others on the host are other people's.
    group: String,
}

impl<'a> Places<'a> {
    /// Finds them out from a node that runs.
    pub(super) fn of_running(ground: &'a Ground) -> Result<Self, Failure> {
        let group = parent_group(&fs::read_to_string(ground.node_proc()?.join("cgroup"))?);
        let group = group.ok_or("the node's cgroup is not one of kind's")?;
        Ok(Self { ground, group })
    }

    /// Everything that is there now.
    pub(super) fn look(&self) -> Traces {
        let ground = self.ground;
        let mut traces = Traces::of_host()
            .with("process", processes())
            .with("setting", SETTINGS.iter().filter_map(|path| setting(path)))
            .with("kubeconfig", entry(&ground.kind.kubeconfig()))
            .with("file", files(&ground.directory.join("home"), usize::MAX))
            .with("file", files(&ground.directory.join("tmp"), 1))
            .with("file", files(&ground.kind.state(), DEPTH));
        if !ground.engine.is_native() {
            for arguments in LISTS {
                let listed = ground.engine.client(arguments).stdout;
                traces = traces.with(arguments[0], listed.lines().map(str::to_owned));
            }
        }
        traces
    }

    /// What is there that was not before, once all had time to go.
    pub(super) fn left_since(&self, before: &Traces) -> Vec<String> {
        let deadline = Instant::now() + limit(PATIENCE);
        loop {
            let mut left = self.look().since(before);
            left.retain(|trace| !trace.starts_with("cgroup ") || trace.contains(&self.group));
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What engines have of nodes.
const LISTS: [&[&str]; 3] = [
    &["ps", "--all", "--format", "{{.Names}}"],
    &["volume", "ls", "--quiet"],
    &["network", "ls", "--format", "{{.Name}}"],
];

/// The topmost cgroup of kind's or the tests' on a process's way from the root.
fn parent_group(cgroups: &str) -> Option<String> {
    let mut words = cgroups.lines().flat_map(|line| line.split('/'));
    words
        .find(|word| word.starts_with("kind-"))
        .map(str::to_owned)
}

fn processes() -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let describe = |pid: u32| {
        let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        Some(format!("{pid} {}", words.replace('\0', " ")))
    };
    pids.filter_map(describe).collect()
}

fn setting(path: &str) -> Option<String> {
    let value = fs::read_to_string(path).ok()?;
    Some(format!("{path} {}", value.trim()))
}

/// The cluster, if a kubeconfig has it.
fn entry(kubeconfig: &Path) -> Option<String> {
    let text = fs::read_to_string(kubeconfig).unwrap_or_default();
    let name = format!("kind-{CLUSTER}");
    text.contains(&name).then_some(name)
}

/// Everything below a directory, down to a depth.
fn files(directory: &Path, depth: usize) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let mut found: Vec<_> = paths.iter().map(|it| it.display().to_string()).collect();
    if depth > 1 {
        let directories = paths.iter().filter(|it| it.is_dir() && !it.is_symlink());
        found.extend(directories.flat_map(|it| files(it, depth - 1)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroups_of_a_state_directory_are_told_from_others() {
        let native = "2:cpu:/kind-0123456789ab/faults-control-plane\n0::/\n";
        assert_eq!(parent_group(native).unwrap(), "kind-0123456789ab");
        let docker = "0::/kind-e2e-docker/99/kubelet\n";
        assert_eq!(parent_group(docker).unwrap(), "kind-e2e-docker");
        assert_eq!(parent_group("0::/user.slice\n"), None);
    }

    #[test]
    fn files_are_found_down_to_a_depth() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("a/b")).unwrap();
        fs::write(place.path().join("a/b/c"), "").unwrap();
        let count = |depth| files(place.path(), depth).len();
        assert_eq!([count(1), count(2), count(usize::MAX)], [1, 2, 3]);
        assert!(files(&place.path().join("none"), 1).is_empty());
    }
}
