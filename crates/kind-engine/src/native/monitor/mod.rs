//! The process that stays with a node for as long as it runs.

mod console;
mod forward;
mod run;

pub(super) use self::run::monitor_node;
