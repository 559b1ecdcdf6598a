//! `cargo xtask bench`: this kind beside the original one, and beside an earlier one of ours, on one machine, with one
//! node image.

mod app;
mod cases;
mod cluster;
mod command;
mod contest;
mod contestant;
mod disk;
mod idle;
mod image;
mod options;
mod phases;
mod report;
mod restart;
mod results;
mod rounds;
mod rows;
mod steps;

pub(crate) use command::{INSIDE, run};
pub(crate) use contest::run as contest;
