//! Tables as values.

use std::collections::BTreeMap;

use super::Family;
use super::rule::Rule;
use super::set::Set;

/// Where packets enter a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hook {
    /// Packets that a link of this name receives, before the machine knows anything of them. Only tables
    /// made by [`Table::at_ingress`] have such chains.
    Ingress(String),
    /// Packets that links receive, before anything leads them elsewhere.
    Received,
    /// Packets for this machine, after everything that may lead them elsewhere.
    Input,
    /// Packets that this machine routes for others, after others may have changed their destination or
    /// filtered them.
    Forward,
    /// Packets of this machine itself, after the same.
    Output,
    /// Packets that leave a machine, whoever sent them.
    Leaving,
    /// The same, where their source address may be changed.
    SourceNat,
}

/// Rules that are tried in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Where packets enter it, if not from other chains.
    pub(crate) hook: Option<Hook>,
    pub(crate) rules: Vec<Rule>,
}

/// `NFPROTO_NETDEV`.
const NETDEV: u8 = 5;

/// A table of one family with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// The family of the addresses in it.
    pub(crate) family: Family,
    /// It sees what links receive, of whatever family: its rules begin with [`super::Match::OfFamily`].
    pub(super) at_ingress: bool,
    /// The table's name.
    pub(crate) name: &'static str,
    /// Sets by name.
    pub(crate) sets: BTreeMap<String, Set>,
    /// Chains by name.
    pub(crate) chains: BTreeMap<String, Chain>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(family: Family, name: &'static str) -> Self {
        Self {
            family,
            at_ingress: false,
            name,
            sets: BTreeMap::new(),
            chains: BTreeMap::new(),
        }
    }

    /// An empty table for what links receive. All such tables share their names, whatever the family.
    pub(crate) fn at_ingress(family: Family, name: &'static str) -> Self {
        Self {
            at_ingress: true,
            ..Self::new(family, name)
        }
    }

    /// The kernel's number of the family of tables that this one is in.
    pub(super) fn number(&self) -> u8 {
        if self.at_ingress {
            NETDEV
        } else {
            self.family.number()
        }
    }

    /// Adds a chain where packets enter.
    pub(crate) fn add_hook(&mut self, name: &str, hook: Hook, rules: Vec<Rule>) {
        let hook = Some(hook);
        self.chains.insert(name.to_owned(), Chain { hook, rules });
    }

    /// Adds a chain that others lead to.
    pub(crate) fn add_chain(&mut self, name: impl Into<String>, rules: Vec<Rule>) {
        self.chains.insert(name.into(), Chain { hook: None, rules });
    }

    /// Adds a set.
    pub(crate) fn add_set(&mut self, name: impl Into<String>, set: Set) {
        self.sets.insert(name.into(), set);
    }
}
