//! The few words of the kernel's nftables language that masquerading needs, spoken over netlink.
//!
//! No program is run for it: the add-on's image holds nothing but `kind-node`, and a pod that
//! reached for the node's own `nft` would need the node's whole file system and far more rights
//! than `CAP_NET_ADMIN`. Constants are those of `linux/netfilter/nf_tables.h`.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use ipnet::IpNet;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;
const NLA_F_NESTED: u16 = 0x8000;

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// The subsystem of nftables; its messages carry it in the upper byte of their type.
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const DELETE_TABLE: u16 = SUBSYSTEM << 8 | 2;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const DELETE_CHAIN: u16 = SUBSYSTEM << 8 | 5;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
const DELETE_RULE: u16 = SUBSYSTEM << 8 | 8;
/// The multicast group of all changes, as a bit (group 7).
const CHANGES: u32 = 1 << 6;

const POST_ROUTING: u32 = 4;
/// The priority of source address translation.
const SOURCE_NAT: u32 = 100;
const ACCEPT: u32 = 1;
const RETURN: u32 = (-5i32).cast_unsigned();
const REGISTER: u32 = 1;
const NETWORK_HEADER: u32 = 1;

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    /// Where a packet comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// What a rule does with a packet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    /// Leaves the chain.
    Return,
    /// Gives the packet the address of the link it leaves through.
    Masquerade,
}

/// A change of the kernel's rules that happens as a whole or not at all.
pub(super) struct Batch {
    bytes: Vec<u8>,
}

impl Batch {
    /// An empty change.
    pub(super) fn new() -> Self {
        let mut batch = Self { bytes: Vec::new() };
        batch.message(BATCH_BEGIN, 0, 0, |_| {});
        batch
    }

    /// Makes a table of the family of `member` that holds nothing, whatever it held before.
    pub(super) fn empty_table(&mut self, member: &IpNet, table: &str) {
        // The deletion of a table that does not exist would fail the whole change.
        for kind in [NEW_TABLE, DELETE_TABLE, NEW_TABLE] {
            let flags = if kind == NEW_TABLE { NLM_F_CREATE } else { 0 };
            self.message(kind, flags, family(member), |message| {
                text(message, 1, table)
            });
        }
    }

    /// Makes a chain for packets that are about to leave.
    pub(super) fn source_nat_chain(&mut self, member: &IpNet, table: &str, chain: &str) {
        self.message(NEW_CHAIN, NLM_F_CREATE, family(member), |message| {
            text(message, 1, table);
            text(message, 3, chain);
            nested(message, 4, |hook| {
                number(hook, 1, POST_ROUTING);
                number(hook, 2, SOURCE_NAT);
            });
            number(message, 5, ACCEPT);
            text(message, 7, "nat");
        });
    }

    /// Adds a rule: packets whose `field` is in `range`.
    pub(super) fn rule(&mut self, at: (&str, &str), field: Field, range: &IpNet, action: Action) {
        let flags = NLM_F_CREATE | NLM_F_APPEND;
        self.message(NEW_RULE, flags, family(range), |message| {
            text(message, 1, at.0);
            text(message, 2, at.1);
            nested(message, 4, |expressions| {
                match_range(expressions, field, range);
                act(expressions, action);
            });
        });
    }

    /// Adds a message of nftables, or a frame of the batch.
    fn message(&mut self, kind: u16, flags: u16, family: u8, fill: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.bytes.len();
        let acknowledge = if kind > BATCH_END { NLM_F_ACK } else { 0 };
        self.bytes.extend([0; 4]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes
            .extend((flags | NLM_F_REQUEST | acknowledge).to_ne_bytes());
        // Sequence number and sender: nothing here needs to tell answers apart.
        self.bytes.extend([0; 8]);
        let resource = if kind > BATCH_END { 0 } else { SUBSYSTEM };
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        fill(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - begin).unwrap_or(u32::MAX);
        self.bytes[begin..begin + 4].copy_from_slice(&length.to_ne_bytes());
    }
}

/// A connection to the kernel's netfilter.
pub(super) struct Connection {
    socket: OwnedFd,
    port: u32,
}

impl Connection {
    /// Connects for changes.
    pub(super) fn open() -> io::Result<Self> {
        let socket = socket(0)?;
        let address = SocketAddrNetlink::try_from(rustix::net::getsockname(&socket)?)?;
        let port = address.pid();
        Ok(Self { socket, port })
    }

    /// The number that changes of this connection carry.
    pub(super) fn port(&self) -> u32 {
        self.port
    }

    /// Makes a change.
    pub(super) fn apply(&self, mut batch: Batch) -> io::Result<()> {
        batch.message(BATCH_END, 0, 0, |_| {});
        rustix::net::send(&self.socket, &batch.bytes, SendFlags::empty())?;
        // The kernel has done its work when the call returns, and every answer is there to read.
        let mut result = Ok(());
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match rustix::net::recv(&self.socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    for message in messages(&buffer[..length]) {
                        result = result.and(answer(&message));
                    }
                }
                Err(rustix::io::Errno::AGAIN) => return result,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Opens a connection that hears of every change of rules.
pub(super) fn listen() -> io::Result<OwnedFd> {
    socket(CHANGES)
}

/// A message from the kernel.
pub(super) struct Message<'a> {
    kind: u16,
    port: u32,
    body: &'a [u8],
}

impl Message<'_> {
    /// Tells whether it says that someone else removed something from a table of that name.
    pub(super) fn takes_from(&self, table: &str, own_port: u32) -> bool {
        let removal = matches!(self.kind, DELETE_TABLE | DELETE_CHAIN | DELETE_RULE);
        removal && self.port != own_port && self.table() == Some(table.as_bytes())
    }

    /// The table's name, which is the attribute of type 1 in every message used here.
    fn table(&self) -> Option<&[u8]> {
        let mut rest = self.body.get(4..)?;
        loop {
            let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
            let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
            let value = rest.get(4..length)?;
            if kind == 1 {
                return value.strip_suffix(&[0]);
            }
            rest = rest.get(length.next_multiple_of(4)..)?;
        }
    }
}

/// The messages of a datagram; what is cut off is left out.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
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

fn socket(groups: u32) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::NETFILTER),
    )?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// The result that an acknowledgement carries.
fn answer(message: &Message<'_>) -> io::Result<()> {
    let code = message.body.get(..4).and_then(|code| code.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(code) if message.kind == NLMSG_ERROR && code != 0 => {
            Err(io::Error::from_raw_os_error(code.saturating_neg()))
        }
        _ => Ok(()),
    }
}

/// `NFPROTO_IPV4` or `NFPROTO_IPV6`.
fn family(range: &IpNet) -> u8 {
    match range {
        IpNet::V4(_) => 2,
        IpNet::V6(_) => 10,
    }
}

/// Loads an address of the packet, cuts it to the range's prefix and compares.
fn match_range(expressions: &mut Vec<u8>, field: Field, range: &IpNet) {
    let (network, mask) = (octets(range.network()), octets(range.netmask()));
    let offset = match (range, field) {
        (IpNet::V4(_), Field::Source) => 12,
        (IpNet::V4(_), Field::Destination) => 16,
        (IpNet::V6(_), Field::Source) => 8,
        (IpNet::V6(_), Field::Destination) => 24,
    };
    let length = u32::from(range.max_prefix_len() / 8);
    expression(expressions, "payload", |data| {
        number(data, 1, REGISTER);
        number(data, 2, NETWORK_HEADER);
        number(data, 3, offset);
        number(data, 4, length);
    });
    expression(expressions, "bitwise", |data| {
        number(data, 1, REGISTER);
        number(data, 2, REGISTER);
        number(data, 3, length);
        nested(data, 4, |value| attribute(value, 1, &mask));
        nested(data, 5, |value| attribute(value, 1, &vec![0; mask.len()]));
    });
    expression(expressions, "cmp", |data| {
        number(data, 1, REGISTER);
        // Equality.
        number(data, 2, 0);
        nested(data, 3, |value| attribute(value, 1, &network));
    });
}

fn act(expressions: &mut Vec<u8>, action: Action) {
    match action {
        Action::Return => expression(expressions, "immediate", |data| {
            // The register of verdicts.
            number(data, 1, 0);
            nested(data, 2, |value| {
                nested(value, 2, |verdict| number(verdict, 1, RETURN));
            });
        }),
        Action::Masquerade => expression(expressions, "masq", |_| {}),
    }
}

fn expression(expressions: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Vec<u8>)) {
    nested(expressions, 1, |element| {
        text(element, 1, name);
        nested(element, 2, fill);
    });
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn text(into: &mut Vec<u8>, kind: u16, text: &str) {
    attribute(into, kind, &[text.as_bytes(), &[0]].concat());
}

/// Numbers are big-endian in nftables, unlike elsewhere in netlink.
fn number(into: &mut Vec<u8>, kind: u16, number: u32) {
    attribute(into, kind, &number.to_be_bytes());
}

fn nested(into: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    fill(&mut inner);
    attribute(into, kind | NLA_F_NESTED, &inner);
}

fn attribute(into: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // Nothing here comes near the limit: names and rules are our own.
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    into.extend(length.to_ne_bytes());
    into.extend(kind.to_ne_bytes());
    into.extend(value);
    into.resize(into.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_know_their_table() {
        let range: IpNet = "10.0.0.0/8".parse().unwrap();
        let mut batch = Batch::new();
        batch.empty_table(&range, "mine");
        let tables: Vec<_> = messages(&batch.bytes)
            .map(|message| (message.kind, message.takes_from("mine", 7)))
            .collect();
        assert_eq!(
            tables,
            [
                (BATCH_BEGIN, false),
                (NEW_TABLE, false),
                (DELETE_TABLE, true),
                (NEW_TABLE, false)
            ]
        );
        let removal = messages(&batch.bytes).nth(2).unwrap();
        assert!(!removal.takes_from("min", 7));
        assert!(!removal.takes_from("mine", 0), "its own change");
    }

    proptest! {
        #[test]
        fn broken_datagrams_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for message in messages(&bytes) {
                message.takes_from("table", 1);
                let _ = answer(&message);
            }
        }
    }
}
