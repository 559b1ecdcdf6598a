//! Host paths shown in a node.

use std::path::{Component, Path, PathBuf};

use crate::error::FieldError;
use crate::model::{Cluster, Mount, Node};

/// What a node does not start without: its programs, its units and what an engine mounts itself.
const HELD_BY_NODES: [&str; 12] = [
    "/", "/bin", "/dev", "/etc", "/kind", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys",
    "/usr",
];

/// What nodes can share with their host: users of devices do so.
const SHARED_WITH_HOSTS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What has a node image's own container images.
const HELD_IMAGES: [&str; 3] = ["/var", "/var/lib", "/var/lib/containerd"];

/// Mounts over what the node lives on; those below are the user's own affair.
pub(super) fn mount_problems(node: &Node, path: &str) -> Vec<FieldError> {
    let mounts = node.extra_mounts.iter().enumerate();
    let covering = mounts.filter(|(_, mount)| {
        let target = clean_path(&mount.container_path);
        HELD_BY_NODES.iter().any(|held| target == Path::new(held)) && !shows_the_same(mount)
    });
    covering
        .map(|(index, mount)| {
            let place = format!("{path}.extraMounts[{index}].containerPath");
            let target = &mount.container_path;
            let message = format!("invalid mount: {target} holds what the node needs to start");
            FieldError::new(place, message).hint(Some("mount a directory below it, or another one"))
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
