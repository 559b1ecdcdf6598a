//! `cargo xtask conformance`: upstream's own tests on a cluster of three nodes.

mod suite;

use crate::Failure;
use suite::Suite;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let suite = Suite::open(None)?;
    crate::shell::say(&format!("{suite:?} {:?} {:?}", suite.images()?, arguments));
    Ok(())
}
