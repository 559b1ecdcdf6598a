//! The cgroups of nodes and of their monitors.

use std::path::Path;

use kind_sys::cgroup::{Group, Hierarchies};

use super::state::State;
use crate::Error;

/// The cgroups of a node.
pub(super) fn node_group(state: &State, node: &str) -> Result<Group, Error> {
    group_in(&nodes_parent(state), node)
}

/// The cgroups of a node's monitor, apart from the node's. In those of the program that asked for the
/// node, the monitor would end with that program's session or service, and the node with it.
pub(super) fn monitor_group(state: &State, node: &str) -> Result<Group, Error> {
    group_in(&monitors_parent(state), node)
}

/// What the cgroups of all nodes and monitors are below.
pub(super) fn parent_groups(state: &State) -> [String; 2] {
    [nodes_parent(state), monitors_parent(state)]
}

fn nodes_parent(state: &State) -> String {
    format!("kind-{}", state.tag())
}

fn monitors_parent(state: &State) -> String {
    format!("kind-{}-monitors", state.tag())
}

fn group_in(parent: &str, node: &str) -> Result<Group, Error> {
    let hierarchies = Hierarchies::of_host().map_err(Error::io("read the mount table"))?;
    Ok(Group::new(hierarchies, Path::new(parent).join(node)))
}
