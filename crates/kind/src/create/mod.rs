//! Creating a cluster: config → plan → provision → bootstrap → ready.

mod attempt;
mod documents;
mod facts;
mod options;
mod phases;
mod pull;
mod run;
mod start;
mod undo;

pub use options::{CreateCluster, Created};
pub(crate) use run::{plan, run};

#[cfg(test)]
mod tests;
