//! `cargo xtask bench`: this kind beside the original one, on one machine, with one node image.

mod command;
mod contest;
mod phases;
mod table;

pub(crate) use command::{INSIDE, run};
pub(crate) use contest::run as contest;
