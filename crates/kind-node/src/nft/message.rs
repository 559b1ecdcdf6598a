//! Messages of netlink and their attributes.

use super::attribute;

pub(super) const HEADER: usize = 16;
const NLA_F_NESTED: u16 = 0x8000;
pub(super) const NLMSG_ERROR: u16 = 2;

/// The subsystem of nftables; its messages carry it in the upper byte of their type.
pub(super) const SUBSYSTEM: u16 = 10;
pub(super) const BATCH_BEGIN: u16 = 0x10;
pub(super) const BATCH_END: u16 = 0x11;
pub(super) const NEW_TABLE: u16 = SUBSYSTEM << 8;
pub(super) const DELETE_TABLE: u16 = SUBSYSTEM << 8 | 2;
pub(super) const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
pub(super) const DELETE_CHAIN: u16 = SUBSYSTEM << 8 | 5;
pub(super) const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
pub(super) const DELETE_RULE: u16 = SUBSYSTEM << 8 | 8;
pub(super) const NEW_SET: u16 = SUBSYSTEM << 8 | 9;
pub(super) const DELETE_SET: u16 = SUBSYSTEM << 8 | 11;
pub(super) const NEW_ELEMENT: u16 = SUBSYSTEM << 8 | 12;
pub(super) const DELETE_ELEMENT: u16 = SUBSYSTEM << 8 | 14;

/// A message from the kernel.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) port: u32,
    pub(super) body: &'a [u8],
}

impl Message<'_> {
    /// Tells whether it says that someone else removed something from a table of that name.
    pub(super) fn takes_from(&self, table: &str, own_port: u32) -> bool {
        let removal = matches!(
            self.kind,
            DELETE_TABLE | DELETE_CHAIN | DELETE_RULE | DELETE_SET | DELETE_ELEMENT
        );
        removal && self.port != own_port && self.table_name() == Some(table.as_bytes())
    }

    /// The table's name, which is the same attribute in every message used here.
    fn table_name(&self) -> Option<&[u8]> {
        let mut rest = self.body.get(4..)?;
        loop {
            let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
            let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
            let value = rest.get(4..length)?;
            if kind == attribute::TABLE_NAME {
                return value.strip_suffix(&[0]);
            }
            rest = rest.get(length.next_multiple_of(4)..)?;
        }
    }
}

/// The messages of a datagram; what is cut off is left out.
pub(super) fn parse_messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_ne_bytes(
                datagram.get(at..at + 4)?.try_into().ok()?,
            ))
        };
        let length = usize::try_from(word(0)?).ok()?;
        let port = word(12)?;
        let kind = u16::from_ne_bytes(datagram.get(4..6)?.try_into().ok()?);
        let body = datagram.get(HEADER..length)?;
        datagram = datagram
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
        Some(Message { kind, port, body })
    })
}

/// Adds a text.
pub(super) fn put_text(into: &mut Vec<u8>, kind: u16, text: &str) {
    put_attribute(into, kind, &[text.as_bytes(), &[0]].concat());
}

/// Adds a number; they are big-endian in nftables, unlike elsewhere in netlink.
pub(super) fn put_number(into: &mut Vec<u8>, kind: u16, number: u32) {
    put_attribute(into, kind, &number.to_be_bytes());
}

/// Adds an attribute made of attributes.
pub(super) fn put_nested(into: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    fill(&mut inner);
    put_attribute(into, kind | NLA_F_NESTED, &inner);
}

/// Adds an attribute.
pub(super) fn put_attribute(into: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // Nothing here comes near the limit: names and rules are our own, and elements come in parts.
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    into.extend(length.to_ne_bytes());
    into.extend(kind.to_ne_bytes());
    into.extend(value);
    into.resize(into.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Batch, Family, Table};
    use super::*;

    #[test]
    fn messages_know_their_table() {
        let mut batch = Batch::new();
        batch.remove_table(&Table::new(Family::V4, "mine"));
        let tables: Vec<_> = parse_messages(batch.bytes())
            .map(|message| (message.kind, message.takes_from("mine", 7)))
            .collect();
        assert_eq!(
            tables,
            [
                (BATCH_BEGIN, false),
                (NEW_TABLE, false),
                (DELETE_TABLE, true),
            ]
        );
        let removal = parse_messages(batch.bytes()).nth(2).unwrap();
        assert!(!removal.takes_from("min", 7));
        assert!(!removal.takes_from("mine", 0), "its own change");
    }

    proptest! {
        #[test]
        fn broken_datagrams_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for message in parse_messages(&bytes) {
                message.takes_from("table", 1);
                let _ = super::super::connection::check_answer(&message);
            }
        }
    }
}
