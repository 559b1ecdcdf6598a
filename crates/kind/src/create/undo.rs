//! After a failure: keep what the nodes can tell, then remove them.

use std::path::PathBuf;

use kind_engine::State;

use super::attempt::Attempt;
use crate::error::{Cause, chain};
use crate::event::{Event, Outcome, Warning};
use crate::{Error, logs};

impl Attempt<'_> {
    /// Takes back what this attempt has made, and returns the failure to report: the one that was
    /// given, with the place of the nodes' logs.
    pub(super) fn abandon(&mut self, error: Error) -> Error {
        self.phases.end(Outcome::Failed);
        if self.options.retain || self.made.is_empty() {
            return error;
        }
        // A user who interrupts does not want to wait for logs.
        let evidence = match error.is_cancelled() {
            true => None,
            false => self.keep_evidence(&error),
        };
        self.remove_nodes();
        match evidence {
            Some(evidence) => Error::Examined {
                source: Box::new(error),
                evidence,
            },
            None => error,
        }
    }

    /// The directory with the logs of the nodes that have run; `None` if there is nothing to tell.
    fn keep_evidence(&self, error: &Error) -> Option<PathBuf> {
        let engine = self.provider.engine();
        let mut nodes = engine.list(Some(&self.cluster)).unwrap_or_default();
        nodes.retain(|node| self.made.contains(&node.name) && node.state != State::Created);
        if nodes.is_empty() {
            return None;
        }
        let kept = self
            .provider
            .new_log_directory(&self.cluster)
            .map(|directory| {
                let story = format!("{}\n\n{}", chain(error), error.output().unwrap_or_default());
                let _ = std::fs::write(directory.join("failure.txt"), story);
                (logs::collect(engine, &nodes, &directory), directory)
            });
        let (problem, directory) = match kept {
            Ok((collected, directory)) => (collected.err(), Some(directory)),
            Err(error) => (Some(error), None),
        };
        if let Some(error) = problem {
            self.phases
                .tell(Event::Warning(Warning::Evidence(chain(&error))));
        }
        directory
    }

    fn remove_nodes(&self) {
        match self.provider.engine().remove(&self.made) {
            Ok(()) => self.phases.tell(Event::NodesDeleted {
                nodes: self.made.clone(),
            }),
            Err(error) => {
                let error = Error::Engine {
                    action: "failed to delete nodes".to_owned(),
                    source: Cause::from_engine(error),
                };
                self.phases
                    .tell(Event::Warning(Warning::CleanUp(chain(&error))));
            }
        }
    }
}
