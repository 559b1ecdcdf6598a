//! The way from one table to another.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::Batch;
use super::set::Set;
use super::table::{Chain, Table};

impl Batch {
    /// Makes the kernel's table this one, whatever it was.
    pub(crate) fn replace_table(&mut self, table: &Table) {
        self.remove_table(table);
        self.create_table(table);
        let empty = Table {
            sets: BTreeMap::new(),
            chains: BTreeMap::new(),
            ..table.clone()
        };
        self.change_table(&empty, table);
    }

    /// Makes the kernel's table `after`, which is `before` now. Only what differs is sent.
    pub(crate) fn change_table(&mut self, before: &Table, after: &Table) {
        for (name, set) in &after.sets {
            if !before.sets.contains_key(name) {
                self.new_set(after, name, set);
            }
        }
        for (name, chain) in &after.chains {
            if !before.chains.contains_key(name) {
                self.new_chain(after, name, chain.hook.as_ref());
            }
        }
        for (name, set) in &after.sets {
            self.change_elements(after, name, before.sets.get(name), set);
        }
        for (name, chain) in &after.chains {
            self.change_rules(after, name, before.chains.get(name), chain);
        }
        self.remove_old(before, after);
    }

    fn change_elements(&mut self, table: &Table, name: &str, before: Option<&Set>, after: &Set) {
        let wanted = after.elements();
        let present = before.map_or_else(BTreeSet::new, Set::elements);
        self.update_elements(table, name, false, present.difference(&wanted));
        self.update_elements(table, name, true, wanted.difference(&present));
    }

    fn change_rules(&mut self, table: &Table, name: &str, before: Option<&Chain>, after: &Chain) {
        match before {
            Some(before) if before == after => return,
            Some(_) => self.clear_chain(table, name),
            None => {}
        }
        for rule in &after.rules {
            self.add_rule(table, name, rule);
        }
    }

    /// Removes what is no longer there; rules first, because they hold the rest.
    fn remove_old(&mut self, before: &Table, after: &Table) {
        let chains = before.chains.keys();
        let chains: Vec<_> = chains
            .filter(|name| !after.chains.contains_key(*name))
            .collect();
        for name in &chains {
            self.clear_chain(after, name);
        }
        for name in &chains {
            self.delete_chain(after, name);
        }
        for name in before.sets.keys() {
            if !after.sets.contains_key(name) {
                self.delete_set(after, name);
            }
        }
    }
}
