//! Pods between the start of their node and the first rules of the pod network. In: whether policies restricted anybody
//! when the node last ran. Out: a table in which nobody has the network yet.
//!
//! The kernel forgets rules with the node's network namespace, and pods are started again before the pod network knows
//! its policies. What stands here under the name of its own table goes with the first one that it sets.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use ipnet::IpNet;

use crate::nft::{Batch, Connection, Family, Field, Hook, Match, Rule, Table, Verdict};
use crate::pod_addresses;

/// The name of the table with the rules of policies, in each family.
pub(crate) const TABLE: &str = "kindnet-policy";
/// Messages by which neighbours find each other, without which there is no network at all: the protocol and its types.
pub(crate) const NEIGHBOURS: [Match; 2] = [Match::Protocol(58), Match::IcmpTypes(135, 136)];
/// Beside the CNI configuration: policies restrict somebody. Runtimes look for other names.
const MARK: &str = "kindnet-restricts";

/// Has the node start with closed pods from now on; `configuration` is that of CNI.
pub(crate) fn remember_restriction(configuration: &Path) -> io::Result<()> {
    let mark = configuration.with_file_name(MARK);
    match File::create_new(mark) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Has the node start with open pods from now on.
pub(crate) fn forget_restriction(configuration: &Path) -> io::Result<()> {
    match fs::remove_file(configuration.with_file_name(MARK)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Closes the pods of a node that starts, where policies restricted any. Where another pod network has taken over, its
/// configuration comes first, and nobody would open what is closed here. Tells whether anything is closed.
pub(crate) fn close_pods(configuration: &Path) -> io::Result<bool> {
    if !configuration.with_file_name(MARK).exists() || !is_first(configuration)? {
        return Ok(false);
    }
    let ranges = pod_addresses::own_ranges(configuration);
    let mut batch = Batch::new();
    for family in [Family::V4, Family::V6] {
        let own = ranges.iter().copied();
        let own: Vec<IpNet> = own
            .filter(|range| Family::of_range(range) == family)
            .collect();
        if !own.is_empty() {
            batch.replace_table(&closed_table(family, &own));
        }
    }
    Connection::open_netlink()?.apply_batch(batch)?;
    Ok(true)
}

/// Runtimes take the configuration whose name is the first.
fn is_first(configuration: &Path) -> io::Result<bool> {
    let is_configuration = |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        matches!(extension, Some("conf" | "conflist" | "json"))
    };
    let directory = configuration.parent().unwrap_or(Path::new("/"));
    let paths: io::Result<Vec<_>> = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.path()))
        .collect();
    let first = paths?
        .into_iter()
        .filter(|path| is_configuration(path))
        .min();
    Ok(first.as_deref() == Some(configuration))
}

/// What pods of these ranges send and what is for them is lost; the node itself reaches them, as it always does.
fn closed_table(family: Family, ranges: &[IpNet]) -> Table {
    let established = Rule::new([Match::Established], Verdict::Accept);
    let drop = |field: Field| {
        let rules = ranges.iter();
        rules.map(move |range| Rule::new([Match::In(field, *range)], Verdict::Drop))
    };
    let mut input = vec![established.clone()];
    if family == Family::V6 {
        input.push(Rule::new(NEIGHBOURS, Verdict::Accept));
    }
    input.extend(drop(Field::Source));
    let from_here = Rule::new([Match::FromHere], Verdict::Accept);
    let mut leaving = vec![established, from_here];
    leaving.extend(drop(Field::Source).chain(drop(Field::Destination)));
    let mut table = Table::new(family, TABLE);
    table.add_hook("input", Hook::Input, input);
    table.add_hook("leaving", Hook::Leaving, leaving);
    table
}

#[cfg(test)]
mod tests {
    use kind_node::cni;

    use super::*;
    use crate::testing::in_namespace;

    #[test]
    fn a_node_starts_closed_where_policies_restricted_and_the_network_is_ours() {
        in_namespace(|| {
            let directory = tempfile::tempdir().unwrap();
            let configuration = directory.path().join("10-kindnet.conflist");
            let ranges = ["10.244.2.0/24".to_owned(), "fd00:10:244:2::/64".to_owned()];
            fs::write(&configuration, cni::conflist(&ranges, None)).unwrap();
            assert!(!close_pods(&configuration).unwrap(), "nobody is restricted");
            remember_restriction(&configuration).unwrap();
            remember_restriction(&configuration).unwrap();
            assert!(close_pods(&configuration).unwrap());
            let other = directory.path().join("05-other.conflist");
            fs::write(&other, "{}").unwrap();
            assert!(!close_pods(&configuration).unwrap(), "another network");
            fs::remove_file(other).unwrap();
            forget_restriction(&configuration).unwrap();
            forget_restriction(&configuration).unwrap();
            assert!(!close_pods(&configuration).unwrap(), "not any more");
        });
    }
}
