//! What one node does for the addresses that it announces.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use kind_net::netlink::Netlink;

use super::cluster::Service;
use super::error::kernel_error;
use super::link::Link;
use super::{Error, frames, guard, share};
use crate::kubernetes::store::Key;
use crate::nft::{Batch, Connection, Table};

/// What a node is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Addresses that it announces.
    addresses: BTreeSet<IpAddr>,
    /// What closes them.
    closing: Vec<Table>,
    /// What hands on what arrives for them.
    sharing: Vec<Table>,
}

/// What a node is to do for the Services.
pub(super) fn wanted_announcements(
    services: &BTreeMap<Key, Service>,
    node: &str,
    link: &Link,
) -> Wanted {
    let own = services.values().filter(|service| {
        // One that is no longer ours is about to be released.
        !service.families.is_empty() && service.announcer.as_deref() == Some(node)
    });
    let addresses = own.clone().flat_map(|service| &service.addresses).copied();
    let addresses: BTreeSet<IpAddr> = addresses
        .filter(|address| link.ranges.contain(address))
        .collect();
    let closing = if services.is_empty() {
        Vec::new()
    } else {
        guard::guard_tables(&addresses, link)
    };
    Wanted {
        sharing: share::share_tables(own, link),
        closing,
        addresses,
    }
}

/// One node's rules for the addresses of Services.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// What was set last; nothing if the kernel may have anything.
    closing: Option<Vec<Table>>,
    sharing: Option<Vec<Table>>,
}

impl Rules {
    /// Others may have changed the rules: the next ones replace whatever there is.
    pub(super) fn forget_rules(&mut self) {
        *self = Self::default();
    }

    fn set_rules(&mut self, wanted: &Wanted) -> Result<(), Error> {
        let connection = Connection::open_netlink().map_err(kernel_error("reach netfilter"))?;
        if self.closing.as_ref() != Some(&wanted.closing) {
            self.closing = None;
            replace_tables(&connection, &guard::empty_guard_tables(), &wanted.closing)
                .map_err(kernel_error("close the addresses of services"))?;
            self.closing = Some(wanted.closing.clone());
        }
        if self.sharing.as_ref() != Some(&wanted.sharing) {
            self.sharing = None;
            match replace_tables(&connection, &share::empty_share_tables(), &wanted.sharing) {
                // Some kernels know no such tables, so there cannot be one either.
                Err(_) if wanted.sharing.is_empty() => {}
                result => result.map_err(kernel_error("share the addresses of services"))?,
            }
            self.sharing = Some(wanted.sharing.clone());
        }
        Ok(())
    }
}

/// Sets tables in place of all that there may be.
fn replace_tables(connection: &Connection, all: &[Table], wanted: &[Table]) -> std::io::Result<()> {
    let mut batch = Batch::new();
    all.iter().for_each(|table| batch.remove_table(table));
    wanted.iter().for_each(|table| batch.replace_table(table));
    connection.apply_batch(batch)
}

/// Gives the link these addresses and takes away others of services. Returns the new ones.
pub(super) fn follow_announcements(
    link: &Link,
    wanted: &Wanted,
    rules: &mut Rules,
) -> Result<Vec<IpAddr>, Error> {
    let mut netlink = Netlink::open()?;
    let present = link.announced(&mut netlink)?;
    let gone = present
        .iter()
        .filter(|address| !wanted.addresses.contains(*address));
    for address in gone {
        tracing::info!(%address, "no longer announcing a service's address");
        netlink.remove_service_address(link.index, *address)?;
    }
    // Before the first packet can come.
    rules.set_rules(wanted)?;
    let new = wanted.addresses.iter().copied();
    let new: Vec<IpAddr> = new.filter(|address| !present.contains(address)).collect();
    for address in &new {
        tracing::info!(%address, "announcing a service's address");
        netlink.add_service_address(link.index, *address)?;
    }
    Ok(new)
}

/// Tells everyone on the network that these addresses are here.
pub(super) fn announce_addresses(link: &Link, addresses: &[IpAddr]) -> Result<(), Error> {
    let Some(hardware) = link.hardware else {
        return Ok(());
    };
    for address in addresses {
        let frame = frames::announcement_frame(hardware, *address);
        kind_sys::packet::send_frame(link.index, &frame)
            .map_err(kernel_error("announce an address"))?;
    }
    Ok(())
}
