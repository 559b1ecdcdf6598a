//! What a fault is.

use std::any::Any;
use std::process::Command;

use super::ground::Ground;
use crate::Failure;

/// One way to break a cluster.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    /// Its name, and that of its snapshot.
    pub(super) id: &'static str,
    /// What it adds to the configuration of a cluster of one node; `DIRECTORY` stands for where files of the fault are.
    pub(super) config: &'static str,
    /// What else it does, besides a cluster being created of that configuration.
    pub(super) prepare: fn(&Ground, Command) -> Result<Prepared, Failure>,
    /// What the first lines of the error must say.
    pub(super) cause: &'static str,
    /// The check of `kind doctor` that finds it, where a creation does not.
    pub(super) check: Option<&'static str>,
    /// Nodes may be left until the cluster is deleted: it was there before, or its engine can take nothing back.
    pub(super) keeps_nodes: bool,
    /// Who meets it first, and so what is said beside the cause, is another each time: there is no snapshot.
    pub(super) varies: bool,
    /// The only engine that it is a fault of.
    pub(super) engine: Option<&'static str>,
}

/// A fault that is there, until the value goes.
pub(super) struct Prepared {
    /// The command that meets it.
    pub(super) command: Command,
    /// What takes it away again.
    pub(super) held: Box<dyn Any>,
}

impl Fault {
    /// Whether an engine of that name can have it.
    pub(super) fn concerns(&self, engine: &str) -> bool {
        self.engine.is_none_or(|own| own == engine)
    }
}

/// What entries have that say nothing else: the configuration alone is the fault.
pub(super) const OF_CONFIG: Fault = Fault {
    id: "",
    config: "",
    prepare: |_, command| {
        Ok(Prepared {
            command,
            held: Box::new(()),
        })
    },
    cause: "",
    check: None,
    keeps_nodes: false,
    varies: false,
    engine: None,
};
