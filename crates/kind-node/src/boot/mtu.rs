//! The size of packets that pods may send: that of the node's own link, which nobody knows before.

use std::fs;
use std::path::Path;

use kind_node::cni;

use super::Error;
use super::error::during_step;
use super::text::{read_text, replace_text};

/// Writes the size of the node's link into the pod network's configuration, if the node has one of ours.
pub(super) fn follow_mtu(root: &Path) -> Result<(), Error> {
    let path = root.join(cni::PATH.trim_start_matches('/'));
    let writing = || during_step("write the CNI configuration");
    let Some(text) = read_text(&path).map_err(writing())? else {
        return Ok(());
    };
    let mtu = fs::read_to_string("/sys/class/net/eth0/mtu").unwrap_or_default();
    let mtu = mtu.trim().parse().ok();
    match mtu.and_then(|mtu| cni::with_mtu(&text, mtu)) {
        Some(changed) if changed != text => replace_text(&path, &changed).map_err(writing()),
        _ => Ok(()),
    }
}
