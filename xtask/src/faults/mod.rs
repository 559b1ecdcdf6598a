//! `cargo xtask faults`: what breaks clusters is provoked for real, and what `kind` says of it compared with what it
//! said before.
//!
//! A fault is an entry of [`catalogue`]. What the host must look like for it happens in a world of its own, with which
//! all of it ends.

mod catalogue;
mod command;
mod engines;
mod fault;
mod ground;
mod node;
mod normal;
mod options;
mod preparation;
mod report;
mod rounds;
mod run;
mod snapshot;
mod trial;
mod verdict;

pub(crate) use command::{INSIDE, run};
pub(crate) use run::run as inside;
