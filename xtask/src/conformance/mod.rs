//! `cargo xtask conformance`: upstream's own tests on a cluster of three nodes.
//!
//! Everything that needs the outside is made first: the tests, the node image, the stand-ins for the tests' images.
//! Cluster and tests then run in a world of their own, with which both end.

mod cluster;
mod command;
mod ginkgo;
mod images;
mod inside;
mod junit;
mod options;
mod place;
mod progress;
mod report;
mod stand_ins;
mod suite;

pub(crate) use command::{INSIDE, run};
pub(crate) use inside::run as inside;
