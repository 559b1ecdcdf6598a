//! Rules as the kernel's small machine runs them: expressions that load, compare and decide.

use std::net::IpAddr;

use ipnet::IpNet;

use super::attribute;
use super::family::{Family, address_octets};
use super::message::{put_attribute, put_nested, put_number, put_text};
use super::rule::{Field, Key, Match, Rule, SPREAD, Verdict};

const ACCEPT: u32 = 1;
const DROP: u32 = 0;
pub(super) const JUMP: u32 = (-3i32).cast_unsigned();
const GOTO: u32 = (-4i32).cast_unsigned();
const RETURN: u32 = (-5i32).cast_unsigned();

/// The register of verdicts.
const VERDICT: u32 = 0;
/// The first register, of 16 bytes.
const REGISTER: u32 = 1;
/// The first of the registers of 4 bytes; the first of 16 bytes is made of it and the next three.
const SMALL_REGISTER: u32 = 8;

const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;

const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;

const CT_STATE: u32 = 0;
/// Bits of the state of a connection.
const ESTABLISHED_RELATED: u32 = 0x2 | 0x4;
const META_ETHERTYPE: u32 = 1;
const META_LINK_IN: u32 = 4;
const META_LINK_OUT: u32 = 5;
const META_LINK_IN_NAME: u32 = 6;
const META_PROTOCOL: u32 = 16;
/// The second register of 16 bytes.
const NEXT_REGISTER: u32 = 2;
/// Bits of IPv4's field for fragments: that there are more, and where this one begins.
const FRAGMENT: u16 = 0x3fff;
/// The same number for the same packet on every node.
const SEED: u32 = 0x6b69_6e64;
/// What is asked of routes: the link that one leads to, or the type of an address.
const LINK: u32 = 1;
const ADDRESS_TYPE: u32 = 3;
/// Of which address, and whether only the link counts that the packet came in by.
const SOURCE_ADDRESS: u32 = 1;
const SAME_LINK: u32 = 8;
const ICMP_UNREACHABLE: u32 = 0;
/// What is not in the set.
const INVERTED: u32 = 1;
/// A route's type for addresses of this machine.
const LOCAL: u32 = 2;

/// Adds all expressions of a rule.
pub(super) fn put_rule(into: &mut Vec<u8>, family: Family, rule: &Rule) {
    for condition in &rule.matches {
        put_match(into, family, condition);
    }
    put_action(into, family, &rule.verdict);
}

fn put_match(into: &mut Vec<u8>, family: Family, condition: &Match) {
    match condition {
        Match::Established => is_established(into),
        Match::FromHere => is_from_here(into),
        Match::LinkInNamed(beginning) => {
            load_meta(into, META_LINK_IN_NAME, REGISTER);
            put_comparison(into, EQUAL, beginning.as_bytes());
        }
        Match::NoWayBack => has_no_way_back(into),
        Match::OfFamily => {
            let number: u16 = match family {
                Family::V4 => 0x0800,
                Family::V6 => 0x86dd,
            };
            load_meta(into, META_ETHERTYPE, REGISTER);
            put_comparison(into, EQUAL, &number.to_be_bytes());
        }
        Match::LinkIn(index) => is_link(into, META_LINK_IN, *index),
        Match::LinkOut(index) => is_link(into, META_LINK_OUT, *index),
        Match::Fragment => {
            put_load(into, NETWORK_HEADER, 6, 2, REGISTER);
            put_mask(into, &FRAGMENT.to_be_bytes());
            put_comparison(into, NOT_EQUAL, &[0; 2]);
        }
        Match::In(field, range) => in_range(into, family, *field, range),
        Match::InSet(field, set) => in_set(into, family, *field, set, 0),
        Match::NotInSet(field, set) => in_set(into, family, *field, set, INVERTED),
        Match::Service(set) => put_service(into, family, set),
        Match::Protocol(protocol) => is_protocol(into, *protocol),
        Match::Ports(first, last) => {
            put_load(into, TRANSPORT_HEADER, 2, 2, REGISTER);
            put_range(into, &first.to_be_bytes(), &last.to_be_bytes());
        }
        Match::IcmpTypes(first, last) => {
            put_load(into, TRANSPORT_HEADER, 0, 1, REGISTER);
            put_range(into, &[*first], &[*last]);
        }
    }
}

fn is_established(into: &mut Vec<u8>) {
    put_expression(into, "ct", |data| {
        put_number(data, attribute::CT_DREG, REGISTER);
        put_number(data, attribute::CT_KEY, CT_STATE);
    });
    // The state is a number of this machine, not of the network.
    put_mask(into, &ESTABLISHED_RELATED.to_ne_bytes());
    put_comparison(into, NOT_EQUAL, &[0; 4]);
}

fn is_from_here(into: &mut Vec<u8>) {
    ask_routes(into, ADDRESS_TYPE, SOURCE_ADDRESS);
    put_comparison(into, EQUAL, &LOCAL.to_ne_bytes());
}

fn has_no_way_back(into: &mut Vec<u8>) {
    ask_routes(into, LINK, SOURCE_ADDRESS | SAME_LINK);
    put_comparison(into, EQUAL, &[0; 4]);
}

/// Loads what the routing tables say of an address of the packet.
fn ask_routes(into: &mut Vec<u8>, result: u32, flags: u32) {
    put_expression(into, "fib", |data| {
        put_number(data, attribute::FIB_DREG, REGISTER);
        put_number(data, attribute::FIB_RESULT, result);
        put_number(data, attribute::FIB_FLAGS, flags);
    });
}

fn put_action(into: &mut Vec<u8>, family: Family, action: &Verdict) {
    let code = match action {
        Verdict::Accept => ACCEPT,
        Verdict::Drop => DROP,
        Verdict::Return => RETURN,
        Verdict::Jump(_) => JUMP,
        Verdict::Goto(_) => GOTO,
        Verdict::Reject => return put_reject(into, family),
        Verdict::Masquerade => return put_expression(into, "masq", |_| {}),
        Verdict::Map(field, map) => {
            load_address(into, family, *field);
            return look_up_verdict(into, map);
        }
        Verdict::Spread(key, map) => {
            put_spread(into, family, *key);
            return look_up_verdict(into, map);
        }
        Verdict::Forward(address, link) => return put_forward(into, family, *address, *link),
    };
    put_expression(into, "immediate", |data| {
        put_number(data, attribute::IMMEDIATE_DREG, VERDICT);
        put_nested(data, attribute::IMMEDIATE_DATA, |value| {
            put_verdict(value, code, action.chain())
        });
    });
}

/// Adds a verdict as a value, with the chain that it leads to.
pub(super) fn put_verdict(into: &mut Vec<u8>, code: u32, chain: Option<&str>) {
    put_nested(into, attribute::DATA_VERDICT, |verdict| {
        put_number(verdict, attribute::VERDICT_CODE, code);
        if let Some(chain) = chain {
            put_text(verdict, attribute::VERDICT_CHAIN, chain);
        }
    });
}

/// Does what a map says about the first register.
fn look_up_verdict(into: &mut Vec<u8>, map: &str) {
    put_expression(into, "lookup", |data| {
        put_text(data, attribute::LOOKUP_SET, map);
        put_number(data, attribute::LOOKUP_SREG, REGISTER);
        put_number(data, attribute::LOOKUP_DREG, VERDICT);
    });
}

/// Puts a number below [`SPREAD`] into the first register.
fn put_spread(into: &mut Vec<u8>, family: Family, key: Key) {
    load_address(into, family, Field::Source);
    let mut length = family.length();
    if key == Key::SourceAndPort {
        put_load(into, TRANSPORT_HEADER, 0, 2, SMALL_REGISTER + length / 4);
        // The kernel fills up the register's four bytes.
        length += 4;
    }
    put_expression(into, "hash", |data| {
        put_number(data, attribute::HASH_SREG, REGISTER);
        put_number(data, attribute::HASH_DREG, REGISTER);
        put_number(data, attribute::HASH_LEN, length);
        put_number(data, attribute::HASH_MODULUS, SPREAD);
        put_number(data, attribute::HASH_SEED, SEED);
    });
}

fn put_forward(into: &mut Vec<u8>, family: Family, address: IpAddr, link: u32) {
    load_value(into, REGISTER, &link.to_ne_bytes());
    load_value(into, NEXT_REGISTER, &address_octets(address));
    put_expression(into, "fwd", |data| {
        put_number(data, attribute::FWD_SREG_DEV, REGISTER);
        put_number(data, attribute::FWD_SREG_ADDR, NEXT_REGISTER);
        put_number(data, attribute::FWD_NFPROTO, u32::from(family.number()));
    });
}

fn load_value(into: &mut Vec<u8>, register: u32, value: &[u8]) {
    put_expression(into, "immediate", |data| {
        put_number(data, attribute::IMMEDIATE_DREG, register);
        put_nested(data, attribute::IMMEDIATE_DATA, |data| {
            put_attribute(data, attribute::DATA_VALUE, value)
        });
    });
}

/// Says with an ICMP message that the port is closed.
fn put_reject(into: &mut Vec<u8>, family: Family) {
    let code = match family {
        Family::V4 => 3,
        Family::V6 => 4,
    };
    put_expression(into, "reject", |data| {
        put_number(data, attribute::REJECT_TYPE, ICMP_UNREACHABLE);
        put_attribute(data, attribute::REJECT_ICMP_CODE, &[code]);
    });
}

/// Cuts an address to the range's prefix and compares.
fn in_range(into: &mut Vec<u8>, family: Family, field: Field, range: &IpNet) {
    load_address(into, family, field);
    put_mask(into, &address_octets(range.netmask()));
    put_comparison(into, EQUAL, &address_octets(range.network()));
}

fn in_set(into: &mut Vec<u8>, family: Family, field: Field, set: &str, flags: u32) {
    load_address(into, family, field);
    put_lookup(into, set, flags);
}

/// Loads what identifies a service side by side.
fn put_service(into: &mut Vec<u8>, family: Family, set: &str) {
    load_address(into, family, Field::Destination);
    let behind = SMALL_REGISTER + family.length() / 4;
    load_protocol(into, behind);
    put_load(into, TRANSPORT_HEADER, 2, 2, behind + 1);
    put_lookup(into, set, 0);
}

fn is_protocol(into: &mut Vec<u8>, protocol: u8) {
    load_protocol(into, REGISTER);
    put_comparison(into, EQUAL, &[protocol]);
}

fn is_link(into: &mut Vec<u8>, key: u32, index: u32) {
    load_meta(into, key, REGISTER);
    put_comparison(into, EQUAL, &index.to_ne_bytes());
}

fn load_protocol(into: &mut Vec<u8>, register: u32) {
    load_meta(into, META_PROTOCOL, register);
}

fn load_meta(into: &mut Vec<u8>, key: u32, register: u32) {
    put_expression(into, "meta", |data| {
        put_number(data, attribute::META_DREG, register);
        put_number(data, attribute::META_KEY, key);
    });
}

fn load_address(into: &mut Vec<u8>, family: Family, field: Field) {
    let offset = match (family, field) {
        (Family::V4, Field::Source) => 12,
        (Family::V4, Field::Destination) => 16,
        (Family::V6, Field::Source) => 8,
        (Family::V6, Field::Destination) => 24,
    };
    put_load(into, NETWORK_HEADER, offset, family.length(), REGISTER);
}

/// Loads a piece of the packet: which header, where in it, how many bytes.
fn put_load(into: &mut Vec<u8>, base: u32, offset: u32, length: u32, register: u32) {
    put_expression(into, "payload", |data| {
        put_number(data, attribute::PAYLOAD_DREG, register);
        put_number(data, attribute::PAYLOAD_BASE, base);
        put_number(data, attribute::PAYLOAD_OFFSET, offset);
        put_number(data, attribute::PAYLOAD_LEN, length);
    });
}

fn put_mask(into: &mut Vec<u8>, mask: &[u8]) {
    let length = u32::try_from(mask.len()).unwrap_or(0);
    put_expression(into, "bitwise", |data| {
        put_number(data, attribute::BITWISE_SREG, REGISTER);
        put_number(data, attribute::BITWISE_DREG, REGISTER);
        put_number(data, attribute::BITWISE_LEN, length);
        put_nested(data, attribute::BITWISE_MASK, |value| {
            put_attribute(value, attribute::DATA_VALUE, mask)
        });
        put_nested(data, attribute::BITWISE_XOR, |value| {
            put_attribute(value, attribute::DATA_VALUE, &vec![0; mask.len()])
        });
    });
}

fn put_range(into: &mut Vec<u8>, first: &[u8], last: &[u8]) {
    if first == last {
        return put_comparison(into, EQUAL, first);
    }
    put_comparison(into, AT_LEAST, first);
    put_comparison(into, AT_MOST, last);
}

fn put_comparison(into: &mut Vec<u8>, operation: u32, value: &[u8]) {
    put_expression(into, "cmp", |data| {
        put_number(data, attribute::CMP_SREG, REGISTER);
        put_number(data, attribute::CMP_OP, operation);
        put_nested(data, attribute::CMP_DATA, |data| {
            put_attribute(data, attribute::DATA_VALUE, value)
        });
    });
}

fn put_lookup(into: &mut Vec<u8>, set: &str, flags: u32) {
    put_expression(into, "lookup", |data| {
        put_text(data, attribute::LOOKUP_SET, set);
        put_number(data, attribute::LOOKUP_SREG, REGISTER);
        if flags != 0 {
            put_number(data, attribute::LOOKUP_FLAGS, flags);
        }
    });
}

fn put_expression(into: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Vec<u8>)) {
    put_nested(into, attribute::LIST_ELEM, |element| {
        put_text(element, attribute::EXPR_NAME, name);
        put_nested(element, attribute::EXPR_DATA, fill);
    });
}
