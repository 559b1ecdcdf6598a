//! What a node has on the host beside its files, and how that goes.

use std::time::Duration;

use kind_net::netlink::Netlink;

use super::state::State;
use super::{cgroups, network};
use crate::Error;

/// How long killed processes may take to be gone.
pub(super) const KILL_TIMEOUT: Duration = Duration::from_secs(20);

/// Removes what a node has on the host beside its files: cgroups and the link.
pub(super) fn clear_host(state: &State, name: &str) -> Result<(), Error> {
    let mut failures = Vec::new();
    let group = cgroups::node_group(state, name).and_then(|group| {
        group
            .remove(KILL_TIMEOUT)
            .map_err(Error::io(format!("remove the cgroups of node {name}")))
    });
    failures.extend(group.err());
    let link = network::link_name(state, name);
    let link = Netlink::open().and_then(|mut netlink| netlink.delete_link(&link));
    failures.extend(link.err().map(Error::from));
    Error::join_failures(failures)
}
