//! Closes a service's address for everything but the Service's own ports.
//!
//! The address is on a node's link, and without this the node's own ports would be open there: the
//! kubelet's, the API server's. What kube-proxy has led to a pod never comes by here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Error;
use super::error::kernel;
use crate::nft::{Batch, Connection, Family, Field, Hook, Match, Rule, Set, Table, Verdict};

const TABLE: &str = "kind-services";
const ADDRESSES: &str = "addresses";
/// Protocols with ports; others, like that of pings, are answered.
const PROTOCOLS: [u8; 3] = [6, 17, 132];

/// Closes these addresses, and no others any more.
pub(super) fn close(addresses: &BTreeSet<IpAddr>) -> Result<(), Error> {
    let mut batch = Batch::new();
    for family in [Family::V4, Family::V6] {
        let own = addresses.iter().copied();
        let own: BTreeSet<IpAddr> = own
            .filter(|address| Family::of(*address) == family)
            .collect();
        let empty = own.is_empty();
        let table = table(family, own);
        if empty {
            batch.remove(&table);
        } else {
            batch.replace(&table);
        }
    }
    let connection = Connection::open().map_err(kernel("reach netfilter"))?;
    connection
        .apply(batch)
        .map_err(kernel("close the addresses of services"))
}

fn table(family: Family, addresses: BTreeSet<IpAddr>) -> Table {
    let rule = |protocol: &u8| {
        let matches = [
            Match::InSet(Field::Destination, ADDRESSES.to_owned()),
            Match::Protocol(*protocol),
        ];
        Rule::new(matches, Verdict::Reject)
    };
    let mut table = Table::new(family, TABLE);
    table.set(ADDRESSES, Set::Addresses(addresses));
    table.hook("input", Hook::Input, PROTOCOLS.iter().map(rule).collect());
    table
}
