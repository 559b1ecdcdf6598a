//! Host paths shown in a node.

use std::path::{Component, Path, PathBuf};

use crate::error::FieldError;
use crate::model::{Cluster, Mount, Node};

/// What a node does not start without: its programs, its units and what an engine mounts itself.
const HELD_BY_NODES: [&str; 24] = [
    "/",
    "/bin",
    "/dev",
    "/etc",
    "/etc/containerd",
    "/etc/systemd",
    "/etc/systemd/system",
    "/kind",
    "/lib",
    "/lib/systemd",
    "/lib64",
    "/proc",
    "/run",
    "/run/systemd",
    "/sbin",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    // Engines mount one there already, and refuse a second one.
    "/var",
    "/usr/lib/systemd",
];

/// Where docker, podman and nerdctl are given a mount for every node; they refuse a second one. Native nodes take it.
const MOUNTED_BY_ENGINES: [&str; 2] = ["/lib/modules", "/tmp"];

/// What nodes can share with their host: users of devices do so.
const SHARED_WITH_HOSTS: [&str; 2] = ["/dev", "/sys"];

/// The only files below `/proc` that a runtime mounts something over, as lxcfs wants it: `checkProcMount` of runc's
/// `libcontainer/rootfs_linux.go`.
const IN_PROC: [&str; 11] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// What has a node image's own container images.
const HELD_IMAGES: [&str; 2] = ["/var/lib", "/var/lib/containerd"];

/// What is wrong with a node's mounts.
pub(super) fn mount_problems(node: &Node, path: &str) -> Vec<FieldError> {
    let mut problems = incomplete_mounts(node, path);
    problems.extend(covering_mounts(node, path));
    problems
}

/// Mounts that say only half of what is to be mounted.
fn incomplete_mounts(node: &Node, path: &str) -> Vec<FieldError> {
    let mounts = node.extra_mounts.iter().enumerate();
    let problems = mounts.flat_map(|(index, mount)| {
        let place = format!("{path}.extraMounts[{index}]");
        let host = mount.host_path.is_empty().then(|| {
            let message = "invalid mount: hostPath is empty";
            let hint = Some("write . for the current directory");
            FieldError::new(format!("{place}.hostPath"), message).hint(hint)
        });
        let target = &mount.container_path;
        let container = (!target.starts_with('/')).then(|| {
            let message = format!("invalid mount: containerPath {target:?} is not absolute");
            let hint = Some("write a path of the node that begins with /");
            FieldError::new(format!("{place}.containerPath"), message).hint(hint)
        });
        host.into_iter().chain(container)
    });
    problems.collect()
}

/// Mounts over what the node lives on; those below are the user's own affair.
fn covering_mounts(node: &Node, path: &str) -> Vec<FieldError> {
    let mounts = node.extra_mounts.iter().enumerate();
    let covering = mounts.filter(|(_, mount)| {
        let target = clean_path(&mount.container_path);
        let is_one_of = |list: &[&str]| list.iter().any(|path| target == Path::new(path));
        let is_in_proc = target.starts_with("/proc") && !is_one_of(&IN_PROC);
        (is_one_of(&HELD_BY_NODES) || is_in_proc) && !shows_the_same(mount)
    });
    covering
        .map(|(index, mount)| {
            let place = format!("{path}.extraMounts[{index}].containerPath");
            let target = &mount.container_path;
            let message = format!("invalid mount: {target} holds what the node needs to start");
            // Below it nothing else can be mounted either.
            let hint = if clean_path(target).starts_with("/proc") {
                "mount a directory outside of /proc"
            } else {
                "mount a directory below it, or another one"
            };
            FieldError::new(place, message).hint(Some(hint))
        })
        .collect()
}

/// Mounts that hide something which a node can do without.
pub(super) fn mount_warnings(cluster: &Cluster) -> Vec<String> {
    let nodes = cluster.nodes.iter().enumerate();
    let mounts = nodes.flat_map(|(node, config)| {
        let mounts = config.extra_mounts.iter().enumerate();
        mounts.map(move |(index, mount)| (format!("nodes[{node}].extraMounts[{index}]"), mount))
    });
    mounts
        .filter_map(|(path, mount)| Some(format!("{path}: {}", hidden(mount)?)))
        .collect()
}

fn hidden(mount: &Mount) -> Option<String> {
    let target = clean_path(&mount.container_path);
    let is_one_of = |list: &[&str]| list.iter().any(|held| target == Path::new(held));
    let path = &mount.container_path;
    if is_one_of(&HELD_IMAGES) {
        Some(format!(
            "{path} hides the container images of the node image: the node has to pull them"
        ))
    } else if is_one_of(&MOUNTED_BY_ENGINES) {
        Some(format!(
            "every node has a mount at {path}: docker, podman and nerdctl refuse a second one"
        ))
    } else if is_one_of(&SHARED_WITH_HOSTS) && shows_the_same(mount) {
        Some(format!("the node changes the host's own {path}"))
    } else {
        None
    }
}

/// Whether the node sees the host's own devices or kernel there.
fn shows_the_same(mount: &Mount) -> bool {
    let (target, source) = (
        clean_path(&mount.container_path),
        clean_path(&mount.host_path),
    );
    target == source
        && SHARED_WITH_HOSTS
            .iter()
            .any(|shared| target == Path::new(shared))
}

/// A path without `.`, `..` and needless slashes.
fn clean_path(text: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}
