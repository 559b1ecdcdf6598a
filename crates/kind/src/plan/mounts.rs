//! Host paths that a node shows.

use std::fmt;
use std::path::{Path, PathBuf};

use kind_config::{Node, Propagation};
use kind_engine::Mount;

/// A host path that a node shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostMount {
    /// Absolute path on the host.
    pub host: PathBuf,
    /// Path in the node.
    pub container: PathBuf,
    /// No writes.
    pub read_only: bool,
    /// Relabel for SELinux.
    pub selinux_relabel: bool,
    /// How mounts made later travel.
    pub propagation: Propagation,
}

/// The node's extra mounts; relative host paths are below `directory`.
pub(super) fn shown(node: &Node, directory: &Path) -> Vec<HostMount> {
    let mounts = node.extra_mounts.iter().map(|mount| HostMount {
        host: directory.join(&mount.host_path),
        container: PathBuf::from(&mount.container_path),
        read_only: mount.read_only,
        selinux_relabel: mount.selinux_relabel,
        propagation: mount.propagation,
    });
    mounts.collect()
}

impl HostMount {
    /// The mount in the engine's words.
    pub(super) fn spec(&self) -> Mount {
        let mut mount = Mount::default();
        mount.host.clone_from(&self.host);
        mount.container.clone_from(&self.container);
        mount.read_only = self.read_only;
        mount.selinux_relabel = self.selinux_relabel;
        mount.propagation = match self.propagation {
            Propagation::HostToContainer => kind_engine::Propagation::HostToContainer,
            Propagation::Bidirectional => kind_engine::Propagation::Bidirectional,
            _ => kind_engine::Propagation::Private,
        };
        mount
    }
}

impl fmt::Display for HostMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host.display(), self.container.display())?;
        let propagation = match self.propagation {
            Propagation::HostToContainer => Some("rslave"),
            Propagation::Bidirectional => Some("rshared"),
            _ => None,
        };
        let read_only = self.read_only.then_some("ro");
        let relabel = self.selinux_relabel.then_some("Z");
        let words = [read_only, relabel, propagation].into_iter().flatten();
        match words.collect::<Vec<_>>().join(",").as_str() {
            "" => Ok(()),
            options => write!(f, ":{options}"),
        }
    }
}
