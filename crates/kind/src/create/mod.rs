//! Creating a cluster: config → plan → provision → bootstrap → ready.

mod attempt;
mod converse;
mod documents;
mod facts;
mod nodes;
mod options;
pub(crate) mod parallel;
mod phases;
mod run;
mod start;
mod story;
mod undo;
mod way;

pub(crate) use documents::{Draft, Place, balancer_file};
pub(crate) use facts::Facts;
pub(crate) use options::explained;
pub use options::{CreateCluster, Created};
pub(crate) use run::{check_cluster, check_host, make_plan, run};
pub(crate) use way::Way;

#[cfg(test)]
mod tests;
