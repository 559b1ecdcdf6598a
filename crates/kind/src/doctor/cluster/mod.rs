//! A cluster that exists.

mod access;
mod facts;
mod kubectl;
mod nodes;
mod server;
mod table;

pub(super) use facts::{Patient, run_within};
pub(super) use table::CLUSTER_CHECKS;
