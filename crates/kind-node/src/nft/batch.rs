//! Changes of the kernel's rules that happen as a whole or not at all.

use super::attribute;
use super::expression;
use super::message::{
    BATCH_BEGIN, BATCH_END, DELETE_CHAIN, DELETE_ELEMENT, DELETE_RULE, DELETE_SET, DELETE_TABLE,
    NEW_CHAIN, NEW_ELEMENT, NEW_RULE, NEW_SET, NEW_TABLE, SUBSYSTEM, put_nested, put_number,
    put_text,
};
use super::rule::Rule;
use super::set::{Element, Set, add_element};
use super::table::{Hook, Table};

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;

/// What happens to packets at the end of a chain.
const ACCEPT: u32 = 1;
/// Elements in one message: an attribute holds at most 64 KiB.
const PART: usize = 256;

/// A change of the kernel's rules.
pub(crate) struct Batch {
    bytes: Vec<u8>,
}

impl Batch {
    /// An empty change.
    pub(crate) fn new() -> Self {
        let mut batch = Self { bytes: Vec::new() };
        batch.add_message(BATCH_BEGIN, 0, None, |_| {});
        batch
    }

    /// The whole change as a datagram.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.add_message(BATCH_END, 0, None, |_| {});
        self.bytes
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Removes a table with everything in it, if it exists.
    pub(crate) fn remove_table(&mut self, table: &Table) {
        // The deletion of a table that does not exist would fail the whole change.
        self.create_table(table);
        self.add_table_message(DELETE_TABLE, 0, table, |_| {});
    }

    pub(super) fn create_table(&mut self, table: &Table) {
        self.add_table_message(NEW_TABLE, NLM_F_CREATE, table, |_| {});
    }

    pub(super) fn new_chain(&mut self, table: &Table, name: &str, hook: Option<&Hook>) {
        self.add_table_message(NEW_CHAIN, NLM_F_CREATE, table, |message| {
            put_text(message, attribute::CHAIN_NAME, name);
            let Some(hook) = hook else {
                return;
            };
            let (number_of_hook, priority, kind) = hook_place(hook);
            let link = match hook {
                Hook::Ingress(link) => Some(link),
                _ => None,
            };
            put_nested(message, attribute::CHAIN_HOOK, |hook| {
                put_number(hook, attribute::HOOK_HOOKNUM, number_of_hook);
                put_number(hook, attribute::HOOK_PRIORITY, priority.cast_unsigned());
                if let Some(link) = link {
                    put_text(hook, attribute::HOOK_DEV, link);
                }
            });
            put_number(message, attribute::CHAIN_POLICY, ACCEPT);
            put_text(message, attribute::CHAIN_TYPE, kind);
        });
    }

    pub(super) fn delete_chain(&mut self, table: &Table, name: &str) {
        self.add_table_message(DELETE_CHAIN, 0, table, |message| {
            put_text(message, attribute::CHAIN_NAME, name)
        });
    }

    pub(super) fn add_rule(&mut self, table: &Table, chain: &str, rule: &Rule) {
        let flags = NLM_F_CREATE | NLM_F_APPEND;
        self.add_table_message(NEW_RULE, flags, table, |message| {
            put_text(message, attribute::RULE_CHAIN, chain);
            put_nested(message, attribute::RULE_EXPRESSIONS, |expressions| {
                expression::put_rule(expressions, table.family, rule);
            });
        });
    }

    pub(super) fn clear_chain(&mut self, table: &Table, name: &str) {
        self.add_table_message(DELETE_RULE, 0, table, |message| {
            put_text(message, attribute::RULE_CHAIN, name)
        });
    }

    pub(super) fn new_set(&mut self, table: &Table, name: &str, set: &Set) {
        self.add_table_message(NEW_SET, NLM_F_CREATE, table, |message| {
            put_text(message, attribute::SET_NAME, name);
            set.describe_set(message, table.family);
        });
    }

    pub(super) fn delete_set(&mut self, table: &Table, name: &str) {
        self.add_table_message(DELETE_SET, 0, table, |message| {
            put_text(message, attribute::SET_NAME, name)
        });
    }

    /// Adds elements to a set, or takes them out of it.
    pub(super) fn update_elements<'a>(
        &mut self,
        table: &Table,
        set: &str,
        add: bool,
        elements: impl Iterator<Item = &'a Element>,
    ) {
        let elements: Vec<&Element> = elements.collect();
        let (kind, flags) = if add {
            (NEW_ELEMENT, NLM_F_CREATE)
        } else {
            (DELETE_ELEMENT, 0)
        };
        for part in elements.chunks(PART) {
            self.add_table_message(kind, flags, table, |message| {
                put_text(message, attribute::SET_ELEM_LIST_SET, set);
                put_nested(message, attribute::SET_ELEM_LIST_ELEMENTS, |list| {
                    part.iter().for_each(|member| add_element(list, member));
                });
            });
        }
    }

    /// Adds a message about a table, whose name is the first attribute of all of them.
    fn add_table_message(
        &mut self,
        kind: u16,
        flags: u16,
        table: &Table,
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        self.add_message(kind, flags, Some(table.number()), |message| {
            put_text(message, attribute::TABLE_NAME, table.name);
            fill(message);
        });
    }

    /// Adds a message of nftables, or without a family a frame of the batch.
    fn add_message(
        &mut self,
        kind: u16,
        flags: u16,
        family: Option<u8>,
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        let begin = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend((flags | NLM_F_REQUEST).to_ne_bytes());
        // Sequence number and sender: nothing here needs to tell answers apart.
        self.bytes.extend([0; 8]);
        let resource = if family.is_some() { 0 } else { SUBSYSTEM };
        self.bytes.extend([family.unwrap_or(0), 0]);
        self.bytes.extend(resource.to_be_bytes());
        fill(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - begin).unwrap_or(u32::MAX);
        self.bytes[begin..begin + 4].copy_from_slice(&length.to_ne_bytes());
    }
}

/// Number of a hook, priority there and type of the chain.
fn hook_place(hook: &Hook) -> (u32, i32, &'static str) {
    match hook {
        // After kube-proxy's IPVS, which takes away what is for services at 98 and 99.
        Hook::Input => (1, 110, "filter"),
        Hook::Ingress(_) => (0, 0, "filter"),
        // Once connections are known, before destinations are changed.
        Hook::Received => (0, -150, "filter"),
        // After the filters of kube-proxy, whichever came first: what it drops is not ours to refuse.
        Hook::Forward => (2, 10, "filter"),
        Hook::Output => (3, 10, "filter"),
        Hook::Leaving => (4, 0, "filter"),
        Hook::SourceNat => (4, 100, "nat"),
    }
}
