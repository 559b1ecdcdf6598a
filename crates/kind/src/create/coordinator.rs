//! What a creation keeps track of whatever stage it is in: whether the caller still wants it, and what it has made,
//! so that a failure can be looked into and nothing is left.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kind_engine::{Engine, Info, Node, State};
use kind_secret::redact_document;

use super::phases::Phases;
use super::{CreateCluster, parallel};
use crate::error::error_chain;
use crate::event::{Event, Outcome, Warning};
use crate::node::Abandoned;
use crate::plan::NodePlan;
use crate::{CancelToken, Code, Error, Provider, Result, logs};

/// Owns cancellation, undo and evidence of one creation; its stages own everything else.
pub(super) struct Coordinator<'a> {
    pub(super) provider: &'a Provider,
    /// What the engine says of the host.
    pub(super) host: &'a Info,
    pub(super) cancel: &'a CancelToken,
    /// How long the caller waits until the cluster is ready.
    pub(super) wait: Option<Duration>,
    cluster: &'a str,
    /// The user wants to keep what a failed creation has made.
    retain: bool,
    /// Nodes that exist because of this creation.
    made: Mutex<BTreeSet<String>>,
}

impl<'a> Coordinator<'a> {
    /// Nothing is made yet.
    pub(super) fn new(
        provider: &'a Provider,
        options: &'a CreateCluster,
        cluster: &'a str,
        host: &'a Info,
    ) -> Self {
        Self {
            provider,
            host,
            cancel: &options.cancel,
            wait: options.wait,
            cluster,
            retain: options.retain,
            made: Mutex::default(),
        }
    }

    pub(super) fn engine(&self) -> &'a dyn Engine {
        self.provider.engine()
    }

    /// Ends here if the caller asked to.
    pub(super) fn check_cancelled(&self) -> Result<()> {
        self.cancel.check()
    }

    /// Does `work` for every node at once, or one after the other where the engine wants it so.
    pub(super) fn for_each(
        &self,
        nodes: &[NodePlan],
        work: impl Fn(&NodePlan) -> Result<()> + Sync,
    ) -> Result<()> {
        if self.host.parallel_creates {
            return parallel::run_for_each(nodes, self.cancel, work).map(drop);
        }
        let mut nodes = nodes.iter();
        nodes.try_for_each(|node| self.check_cancelled().and_then(|()| work(node)))
    }

    /// Notes that a node exists because of this creation.
    pub(super) fn note_made(&self, node: &str) {
        self.lock_made_nodes().insert(node.to_owned());
    }

    /// Takes away the nodes of a creation that the caller interrupts, so that their requests end.
    pub(super) fn abandon_requests(&self) -> Abandoned {
        if self.retain {
            return Abandoned::NodesKept;
        }
        if let Err(error) = self.engine().remove(&self.made_nodes()) {
            tracing::debug!(%error, "nodes of an interrupted creation");
        }
        Abandoned::NodesTaken
    }

    /// Takes back what was made, and returns the failure to report: the one that was given, with the
    /// place of the nodes' logs.
    pub(super) fn clean_up_after(&self, error: Error, phases: &mut Phases<'_>) -> Error {
        phases.end_phase(Outcome::Failed);
        let made = self.made_nodes();
        if made.is_empty() {
            return error;
        }
        if self.retain {
            if error.is_cancelled() {
                phases.send_event(Event::Warning(Warning::Retained {
                    cluster: self.cluster.to_owned(),
                    nodes: made,
                }));
            }
            return error;
        }
        // A user who interrupts does not want to wait for logs, and what was abandoned may be gone already.
        if error.is_cancelled() {
            self.remove_nodes(&made, made.clone(), phases);
            return error;
        }
        let listed = self.engine().list(Some(self.cluster));
        let there = match &listed {
            Ok(nodes) => names_of_made(nodes, &made),
            // Who cannot be asked may still remove them.
            Err(_) => made.clone(),
        };
        let mut nodes = listed.unwrap_or_default();
        nodes.retain(|node| made.contains(&node.name));
        let error = self.keep_evidence(nodes, error);
        self.remove_nodes(&made, there, phases);
        error
    }

    /// The failure with the directory of the logs of the nodes that have run, if any has. What could not be kept is told
    /// with it: the failure itself comes first.
    fn keep_evidence(&self, mut nodes: Vec<Node>, error: Error) -> Error {
        nodes.retain(|node| node.state != State::Created);
        if nodes.is_empty() {
            return error;
        }
        let kept = self
            .provider
            .new_log_directory(self.cluster)
            .map(|directory| {
                let story = format!(
                    "{}\n\n{}",
                    error_chain(&error),
                    error.output().unwrap_or_default()
                );
                let story = redact_document(&story);
                let _ = std::fs::write(directory.join("failure.txt"), story.as_bytes());
                let engine = self.provider.shared_engine();
                let errors = logs::collect_node_logs(&engine, &nodes, &directory, self.cancel);
                (Error::collect(errors), directory)
            });
        let (problem, evidence) = match kept {
            Ok((collected, directory)) => (collected.err(), Some(directory)),
            Err(error) => (Some(error), None),
        };
        Error::Examined {
            source: Box::new(error),
            evidence,
            evidence_problem: problem.as_ref().map(error_chain),
        }
    }

    /// Removes all that may be there of nodes, and tells of those that were there.
    fn remove_nodes(&self, made: &[String], there: Vec<String>, phases: &Phases<'_>) {
        match self.engine().remove(made) {
            Ok(()) if there.is_empty() => {}
            Ok(()) => phases.send_event(Event::NodesDeleted { nodes: there }),
            Err(error) => {
                let error = Error::engine(Code::NodeDelete, "failed to delete nodes")(error);
                let text = format!(
                    "{}; `kind delete cluster --name {}` removes what is left",
                    error_chain(&error),
                    self.cluster
                );
                phases.send_event(Event::Warning(Warning::CleanUp(text)));
            }
        }
    }

    fn made_nodes(&self) -> Vec<String> {
        self.lock_made_nodes().iter().cloned().collect()
    }

    fn lock_made_nodes(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn names_of_made(nodes: &[Node], made: &[String]) -> Vec<String> {
    let names = nodes.iter().map(|node| &node.name);
    names.filter(|name| made.contains(name)).cloned().collect()
}
