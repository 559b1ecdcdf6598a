//! All firewalls of a host at once.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::{firewalld, iptables};
use crate::{Error, nft, wall};

/// Lets packets of `bridge` through where the host would drop them. Does nothing the second time. The ruleset of the
/// network is there already. `proxies` of the host are what nodes are led to.
///
/// # Errors
/// If a firewall that drops packets refuses the change.
pub fn grant(bridge: &str, proxies: &BTreeSet<SocketAddr>) -> Result<(), Error> {
    let tables = nft::tables()?;
    if has_firewalld(&tables) {
        // What it accepts is everything, to the host itself too; what nodes need of that is little.
        nft::apply(&wall::names_and_proxies(bridge, proxies))?;
        firewalld::grant_in_firewalld(bridge)?;
    }
    iptables::present_tables(&tables)
        .iter()
        .try_for_each(|table| table.grant(bridge))
}

/// Takes back everything that [`grant`] has ever changed for `bridge`.
///
/// # Errors
/// If a firewall keeps a rule.
pub fn revoke(bridge: &str) -> Result<(), Error> {
    let tables = nft::tables()?;
    if has_firewalld(&tables) {
        firewalld::revoke_in_firewalld(bridge)?;
    }
    iptables::present_tables(&tables)
        .iter()
        .try_for_each(|table| table.revoke(bridge))
}

fn has_firewalld(tables: &[(String, String)]) -> bool {
    tables
        .iter()
        .any(|(family, name)| family == "inet" && name == firewalld::TABLE)
}
