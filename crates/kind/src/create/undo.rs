//! After a failure: keep what the nodes can tell, then remove them.

use std::path::PathBuf;

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

    fn keep_evidence(&self, error: &Error) -> Option<PathBuf> {
        let directory = match self.provider.new_log_directory(&self.cluster.name) {
            Ok(directory) => directory,
            Err(error) => {
                self.phases
                    .tell(Event::Warning(Warning::Evidence(chain(&error))));
                return None;
            }
        };
        let story = format!("{}\n\n{}", chain(error), error.output().unwrap_or_default());
        let _ = std::fs::write(directory.join("failure.txt"), story);
        let nodes = self
            .provider
            .engine()
            .list(Some(&self.cluster.name))
            .unwrap_or_default();
        let nodes: Vec<_> = nodes
            .into_iter()
            .filter(|node| self.made.contains(&node.name))
            .collect();
        if let Err(error) = logs::collect(self.provider.engine(), &nodes, &directory) {
            self.phases
                .tell(Event::Warning(Warning::Evidence(chain(&error))));
        }
        Some(directory)
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
