//! What the nodes are asked, and what becomes of their answers.

use std::collections::BTreeSet;
use std::mem;

use kind_node::request::Event as Told;

use super::attempt::Attempt;
use super::phases::{Phases, Sequence};
use super::start::Script;
use crate::bootstrap::{ADMIN_CONFIG, step};
use crate::event::{Event, Outcome};
use crate::node::{Abandoned, Reply, Requests};
use crate::{Error, Result};

/// What is known of a conversation so far.
struct Course<'a, 'l> {
    script: Script,
    sequence: Sequence,
    phases: &'a mut Phases<'l>,
    /// Nodes that have not joined yet.
    joining: BTreeSet<String>,
    admin: Option<String>,
    ready: bool,
}

impl Attempt<'_> {
    /// Sends the requests and waits until all have ended. Returns the administrator's kubeconfig.
    pub(super) fn converse(&mut self, script: Script, sequence: Sequence) -> Result<String> {
        let engine = self.provider.shared_engine();
        let (made, retain) = (self.made.clone(), self.options.retain);
        let mut requests = Requests::new(self.provider.shared_engine());
        let abandon = || {
            if retain {
                return Abandoned::NodesKept;
            }
            if let Err(error) = engine.remove(&made) {
                tracing::debug!(%error, "nodes of an interrupted creation");
            }
            Abandoned::NodesTaken
        };
        requests.begin(&script.first, &script.init);
        let mut course = Course {
            joining: script.joins.keys().cloned().collect(),
            script,
            sequence,
            phases: &mut self.phases,
            admin: None,
            ready: true,
        };
        requests.hear(&self.options.cancel, abandon, |requests, node, reply| {
            course.hear(requests, node, reply)
        })?;
        course.end()
    }
}

impl Course<'_, '_> {
    fn hear(&mut self, requests: &mut Requests, node: &str, reply: Reply) -> Result<()> {
        match reply {
            Reply::Event(Told::Finished { name, ms, output }) => {
                self.phases.detail(1, format!("{name} took {ms} ms"));
                if name == step::INIT || step::is_join(&name) {
                    self.phases.detail(3, output);
                }
                self.sequence.finished(&name, self.phases);
                if name == step::INIT {
                    self.begin_joins(requests);
                }
            }
            Reply::Event(Told::Failed { name, .. }) if name == step::READY => self.ready = false,
            Reply::Event(Told::Failed {
                name,
                reason,
                output,
            }) => return Err(failed(node, &name, reason, output)),
            Reply::Event(Told::File { path, text }) if path == ADMIN_CONFIG => {
                self.admin = Some(text);
            }
            Reply::Event(event) => tracing::trace!(?event, node, "node"),
            Reply::Noise(line) => tracing::debug!(line, node, "node"),
            Reply::Ended(code) => return self.ended(requests, node, code),
        }
        Ok(())
    }

    fn begin_joins(&mut self, requests: &mut Requests) {
        for (node, request) in mem::take(&mut self.script.joins) {
            requests.begin(&node, &request);
        }
    }

    fn ended(&mut self, requests: &mut Requests, node: &str, code: i32) -> Result<()> {
        if self.ready && code != 0 {
            let reason = format!("the request ended with code {code}");
            return Err(failed(node, "finish its request", reason, String::new()));
        }
        self.joining.remove(node);
        if self.joining.is_empty()
            && let Some(ready) = self.script.ready.take()
        {
            requests.begin(&self.script.first, &ready);
        }
        Ok(())
    }

    /// All requests have ended.
    fn end(self) -> Result<String> {
        let first = &self.script.first;
        if !self.ready {
            self.phases.end(Outcome::Failed);
            self.phases.tell(Event::NotReady);
        }
        self.phases.end(Outcome::Done);
        let missing = || failed(first, "tell its kubeconfig", String::new(), String::new());
        self.admin.ok_or_else(missing)
    }
}

fn failed(node: &str, step: &str, reason: String, output: String) -> Error {
    let action = match step {
        step::INIT => "failed to init node with kubeadm".to_owned(),
        join if step::is_join(join) => "failed to join node with kubeadm".to_owned(),
        path if path.starts_with('/') => format!("node {node:?} did not get to {path}"),
        step => format!("failed to {step}"),
    };
    Error::Step {
        node: node.to_owned(),
        action,
        reason,
        output,
    }
}
