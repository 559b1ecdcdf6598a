//! What one node does for the addresses that it announces.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use kind_net::netlink::Netlink;

use super::cluster::Service;
use super::error::kernel;
use super::link::Link;
use super::{Error, frames, guard};
use crate::known::Key;

/// The addresses that a node is to announce.
pub(super) fn wanted(
    services: &BTreeMap<Key, Service>,
    node: &str,
    link: &Link,
) -> BTreeSet<IpAddr> {
    let own = services.values().filter(|service| {
        // One that is no longer ours is about to be released.
        !service.families.is_empty() && service.announcer.as_deref() == Some(node)
    });
    let addresses = own.flat_map(|service| &service.addresses).copied();
    addresses
        .filter(|address| link.ranges.contain(address))
        .collect()
}

/// Gives the link these addresses and takes away others of services. Returns the new ones.
pub(super) fn follow(link: &Link, wanted: &BTreeSet<IpAddr>) -> Result<Vec<IpAddr>, Error> {
    let mut netlink = Netlink::open()?;
    let present = link.announced(&mut netlink)?;
    let gone: Vec<&IpAddr> = present
        .iter()
        .filter(|address| !wanted.contains(*address))
        .collect();
    let new: Vec<IpAddr> = wanted
        .iter()
        .copied()
        .filter(|address| !present.contains(address))
        .collect();
    for address in &gone {
        tracing::info!(%address, "no longer announcing a service's address");
        netlink.remove_service_address(link.index, **address)?;
    }
    if !gone.is_empty() || !new.is_empty() {
        // Before the first packet can come.
        guard::close(wanted)?;
    }
    for address in &new {
        tracing::info!(%address, "announcing a service's address");
        netlink.add_service_address(link.index, *address)?;
    }
    Ok(new)
}

/// Tells everyone on the network that these addresses are here.
pub(super) fn tell(link: &Link, addresses: &[IpAddr]) -> Result<(), Error> {
    let Some(hardware) = link.hardware else {
        return Ok(());
    };
    for address in addresses {
        let frame = frames::announcement(hardware, *address);
        kind_sys::packet::send_frame(link.index, &frame).map_err(kernel("announce an address"))?;
    }
    Ok(())
}
