//! The part of the kernel's nftables language that a node's add-ons need, spoken over netlink.
//!
//! No program is run for it: the add-ons' image holds nothing but `kind-node`, and a pod that
//! reached for the node's own `nft` would need the node's whole file system and far more rights
//! than `CAP_NET_ADMIN`. Constants are those of `linux/netfilter/nf_tables.h`.
//!
//! A [`Table`] is a plain value; [`Connection::apply`] makes the kernel's the same in one step.

mod batch;
mod connection;
mod expression;
mod guard;
mod message;
mod rule;
mod set;
mod table;

pub(crate) use batch::Batch;
pub(crate) use connection::Connection;
pub(crate) use guard::wait_for_removal;
pub(crate) use rule::{Field, Key, Match, Rule, SPREAD, Verdict};
pub(crate) use set::{Service, Set};
pub(crate) use table::{Hook, Table};

use std::net::IpAddr;

use ipnet::IpNet;

/// The two kinds of addresses, each with tables of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The family of a range.
    pub(crate) fn of_range(range: &IpNet) -> Self {
        Self::of(range.addr())
    }

    /// `NFPROTO_IPV4` or `NFPROTO_IPV6`.
    fn number(self) -> u8 {
        match self {
            Self::V4 => 2,
            Self::V6 => 10,
        }
    }

    /// Bytes of an address.
    fn length(self) -> u32 {
        match self {
            Self::V4 => 4,
            Self::V6 => 16,
        }
    }
}

/// The bytes of an address as they stand in a packet.
fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
