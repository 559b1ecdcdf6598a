//! Closes a service's address for everything but the Service's own ports.
//!
//! The address is on a node's link, and without this the node's own ports would be open there: the
//! kubelet's, the API server's. What kube-proxy has led to a pod never comes by here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::link::Link;
use crate::nft::{Family, Field, Hook, Match, Rule, Set, Table, Verdict};

const TABLE: &str = "kind-services";
const ADDRESSES: &str = "addresses";
const RANGE: &str = "range";
/// Protocols with ports; others, like that of pings, are answered.
const PROTOCOLS: [u8; 3] = [6, 17, 132];

/// The tables that this module makes, without what is in them.
pub(super) fn empty_guard_tables() -> [Table; 2] {
    [Family::V4, Family::V6].map(|family| Table::new(family, TABLE))
}

/// The tables that close these addresses.
pub(super) fn guard_tables(addresses: &BTreeSet<IpAddr>, link: &Link) -> Vec<Table> {
    let fill = |mut table: Table| {
        let of_family = |address: &&IpAddr| Family::of_address(**address) == table.family;
        let own = addresses.iter().filter(of_family).copied().collect();
        close_addresses(&mut table, own);
        keep_from_wandering(&mut table, link);
        table
    };
    empty_guard_tables().map(fill).into()
}

fn close_addresses(table: &mut Table, addresses: BTreeSet<IpAddr>) {
    let rule = |protocol: &u8| {
        let matches = [
            Match::InSet(Field::Destination, ADDRESSES.to_owned()),
            Match::Protocol(*protocol),
        ];
        Rule::new(matches, Verdict::Reject)
    };
    table.add_set(ADDRESSES, Set::Addresses(addresses));
    table.add_hook("input", Hook::Input, PROTOCOLS.iter().map(rule).collect());
}

/// What the announcing node hands on to a node whose kube-proxy does not know of the Service yet must not go
/// back to where it came from. Who sent it will send it again.
fn keep_from_wandering(table: &mut Table, link: &Link) {
    let ranges = link.ranges.of_family(table.family).collect();
    let matches = [
        Match::LinkIn(link.index),
        Match::LinkOut(link.index),
        Match::InSet(Field::Destination, RANGE.to_owned()),
    ];
    table.add_set(RANGE, Set::Ranges(ranges));
    let rules = vec![Rule::new(matches, Verdict::Drop)];
    table.add_hook("forward", Hook::Forward, rules);
}
