//! What is in the way of clusters on this host, and of one that exists.
//!
//! Two tables, one of the [host] and its engines and one of a [cluster], have an entry for each check: an id, what it
//! looks at, what mends it, and a function. A function reads its facts, through values that say where they
//! are, and has a pure judge make an [outcome] of them. All run at once, and none is waited for beyond
//! a limit.

mod cluster;
mod entry;
mod examination;
mod examine;
mod fix;
mod host;
mod outcome;
mod raise;
#[cfg(test)]
mod tests;

pub use examination::{CheckDescription, Examination, Examined, Verdict};
pub(crate) use examine::prepare_host;
pub use examine::{Examine, cluster_checks, host_checks};
pub use fix::Fix;
