//! Sets of addresses, as values and as elements of messages.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::attribute;
use super::expression::{JUMP, put_verdict};
use super::family::{Family, address_octets};
use super::message::{put_attribute, put_nested, put_number};
use super::rule::Verdict;

/// Data types of nftables, which only programs that show rules care about.
const ADDRESS_V4: u32 = 7;
const ADDRESS_V6: u32 = 8;
const PROTOCOL: u32 = 12;
const PORT: u32 = 13;
const MARK: u32 = 19;
const VERDICT: u32 = 0xffff_ff00;

const FLAG_INTERVAL: u32 = 0x4;
const FLAG_MAP: u32 = 0x8;
const ELEMENT_END: u32 = 0x1;

/// An address with a protocol and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Service {
    pub(crate) address: IpAddr,
    /// Number of the protocol.
    pub(crate) protocol: u8,
    pub(crate) port: u16,
}

/// The members of a set, all of the table's family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Set {
    /// Single addresses.
    Addresses(BTreeSet<IpAddr>),
    /// Ranges, from the first address to the last, that neither overlap nor touch each other. They
    /// cannot change: another content wants another name.
    Ranges(BTreeSet<(IpAddr, IpAddr)>),
    /// Addresses with ports.
    Services(BTreeSet<Service>),
    /// A map from an address to the chain to go on in.
    Chains(BTreeMap<IpAddr, String>),
    /// A map from a number below [`super::SPREAD`] to the chain to go on in.
    Buckets(BTreeMap<u32, String>),
}

/// An element as it stands in a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Element {
    key: Vec<u8>,
    chain: Option<String>,
    flags: u32,
}

impl Set {
    /// All elements.
    pub(super) fn elements(&self) -> BTreeSet<Element> {
        let plain = |key| Element {
            key,
            chain: None,
            flags: 0,
        };
        match self {
            Self::Addresses(addresses) => addresses
                .iter()
                .copied()
                .map(address_octets)
                .map(plain)
                .collect(),
            Self::Services(services) => services.iter().map(service_key).map(plain).collect(),
            Self::Ranges(ranges) => ranges.iter().flat_map(interval_elements).collect(),
            Self::Chains(chains) => {
                let element = |(address, chain): (&IpAddr, &String)| Element {
                    chain: Some(chain.clone()),
                    ..plain(address_octets(*address))
                };
                chains.iter().map(element).collect()
            }
            Self::Buckets(chains) => {
                let element = |(number, chain): (&u32, &String)| Element {
                    chain: Some(chain.clone()),
                    ..plain(number.to_ne_bytes().to_vec())
                };
                chains.iter().map(element).collect()
            }
        }
    }

    /// The attributes that say what the set is like.
    pub(super) fn describe_set(&self, into: &mut Vec<u8>, family: Family) {
        let (address, length) = match family {
            Family::V4 => (ADDRESS_V4, family.length()),
            Family::V6 => (ADDRESS_V6, family.length()),
        };
        let (flags, kind, length) = match self {
            Self::Addresses(_) => (0, address, length),
            Self::Ranges(_) => (FLAG_INTERVAL, address, length),
            Self::Services(_) => (0, (address << 6 | PROTOCOL) << 6 | PORT, length + 8),
            Self::Chains(_) => (FLAG_MAP, address, length),
            Self::Buckets(_) => (FLAG_MAP, MARK, 4),
        };
        put_number(into, attribute::SET_FLAGS, flags);
        put_number(into, attribute::SET_KEY_TYPE, kind);
        put_number(into, attribute::SET_KEY_LEN, length);
        if flags == FLAG_MAP {
            put_number(into, attribute::SET_DATA_TYPE, VERDICT);
            put_number(into, attribute::SET_DATA_LEN, 0);
        }
        // A number within the batch, which the kernel wants to have.
        put_number(into, attribute::SET_ID, 1);
    }
}

/// Adds an element to a message.
pub(super) fn add_element(into: &mut Vec<u8>, element: &Element) {
    put_nested(into, attribute::LIST_ELEM, |into| {
        put_nested(into, attribute::SET_ELEM_KEY, |key| {
            put_attribute(key, attribute::DATA_VALUE, &element.key)
        });
        if let Some(chain) = &element.chain {
            put_nested(into, attribute::SET_ELEM_DATA, |data| {
                put_verdict(data, JUMP, Some(chain))
            });
        }
        if element.flags != 0 {
            put_number(into, attribute::SET_ELEM_FLAGS, element.flags);
        }
    });
}

/// The parts of a concatenation begin at multiples of four bytes.
fn service_key(service: &Service) -> Vec<u8> {
    let mut key = address_octets(service.address);
    key.extend([service.protocol, 0, 0, 0]);
    key.extend(service.port.to_be_bytes());
    key.extend([0, 0]);
    key
}

/// The first address of a range and the first behind it, which the last address of all lacks.
fn interval_elements(range: &(IpAddr, IpAddr)) -> impl Iterator<Item = Element> + use<> {
    let next = match range.1 {
        IpAddr::V4(last) => u32::from(last)
            .checked_add(1)
            .map(|next| IpAddr::V4(next.into())),
        IpAddr::V6(last) => u128::from(last)
            .checked_add(1)
            .map(|next| IpAddr::V6(next.into())),
    };
    let edge = |address: IpAddr, flags: u32| Element {
        key: address_octets(address),
        chain: None,
        flags,
    };
    let end = next.map(|next| edge(next, ELEMENT_END));
    std::iter::once(edge(range.0, 0)).chain(end)
}

impl Verdict {
    /// The chain a verdict leads to.
    pub(super) fn chain(&self) -> Option<&str> {
        match self {
            Self::Jump(chain) | Self::Goto(chain) => Some(chain),
            _ => None,
        }
    }
}
