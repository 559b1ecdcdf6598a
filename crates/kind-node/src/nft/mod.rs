//! The part of the kernel's nftables language that a node's add-ons need, spoken over netlink. In: tables as values.
//! Out: the kernel's.
//!
//! No program is run for it: the add-ons' image holds nothing but `kind-node`, and a pod that
//! reached for the node's own `nft` would need the node's whole file system and far more rights
//! than `CAP_NET_ADMIN`. Constants are those of `linux/netfilter/nf_tables.h`.
//!
//! A [`Table`] is a plain value; [`Connection::apply_batch`] makes the kernel's the same in one step.

mod attribute;
mod batch;
mod change;
mod connection;
mod expression;
mod family;
mod guard;
mod message;
mod rule;
mod set;
mod table;

pub(crate) use batch::Batch;
pub(crate) use connection::Connection;
pub(crate) use family::Family;
pub(crate) use guard::wait_for_removal;
pub(crate) use rule::{Field, Key, Match, Rule, SPREAD, Verdict};
pub(crate) use set::{Service, Set};
pub(crate) use table::{Hook, Table};
