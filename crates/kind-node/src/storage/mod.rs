//! Volumes on the disk of one node, run as a pod of a DaemonSet. In: PersistentVolumeClaims and PersistentVolumes.
//! Out: directories below `/var/local-path-provisioner`, PersistentVolumes, and Events.
//!
//! Each instance serves the claims whose pod was placed on its own node and removes the volumes
//! that lie there. So no pod is started for a volume, and many nodes are only more of the same.
//! For claims that wait for no pod, the instances agree on a node.

mod claim;
mod context;
mod directory;
mod error;
mod names;
mod program;
mod provision;
mod release;
mod room;
mod topology;
mod volume;

pub(crate) use error::Error;
pub(crate) use program::run_storage;

#[cfg(test)]
mod manifest_tests;
