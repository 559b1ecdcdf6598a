//! A table that is being made of policies.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cluster::{Cluster, Pod};
use crate::nft::{Family, Table};

/// A table that is being made.
pub(super) struct Compiler<'a> {
    pub(super) cluster: &'a Cluster,
    /// Policies that allow nothing, by their ids.
    pub(super) refused: &'a BTreeSet<String>,
    pub(super) family: Family,
    pub(super) table: Table,
}

impl<'a> Compiler<'a> {
    /// A pod's addresses of the table's family.
    pub(super) fn addresses(&self, pod: &'a Pod) -> impl Iterator<Item = IpAddr> + use<'a> {
        let family = self.family;
        let addresses = pod.addresses.iter().copied();
        addresses.filter(move |address| Family::of_address(*address) == family)
    }
}
