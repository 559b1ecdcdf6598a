//! All firewalls of a host at once.

use super::{firewalld, iptables};
use crate::{Error, nft};

/// Lets packets of `bridge` through where the host would drop them. Does nothing the second time.
///
/// # Errors
/// If a firewall that drops packets refuses the change.
pub fn grant(bridge: &str) -> Result<(), Error> {
    let tables = nft::tables()?;
    if has_firewalld(&tables) {
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
