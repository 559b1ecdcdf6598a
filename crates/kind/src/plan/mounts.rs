//! Host paths that a node shows.

use std::path::{Path, PathBuf};

use kind_config::Node;
use kind_engine::HostMount;

/// The node's extra mounts; relative host paths are below `directory`.
pub(super) fn shown_mounts(node: &Node, directory: &Path) -> Vec<HostMount> {
    let mounts = node.extra_mounts.iter().map(|mount| HostMount {
        host: directory.join(&mount.host_path),
        container: PathBuf::from(&mount.container_path),
        read_only: mount.read_only,
        selinux_relabel: mount.selinux_relabel,
        propagation: mount.propagation,
    });
    mounts.collect()
}
