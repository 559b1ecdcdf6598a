//! From nodes that run to a cluster: they are asked, and their answers are followed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Instant;

use kind_diagnosis::Check;
use kind_engine::Engine;
use kind_image::packages;
use kind_node::load_balancer::KUBECONFIG;
use kind_node::request::{Event as NodeEvent, Request, StepId};
use kind_secret::{redact_document, redact_text};

use super::coordinator::Coordinator;
use super::kubeadm_failure::KubeadmFailure;
use super::phases::{PhaseSequence, Phases};
use super::requests::BootstrapRequests;
use super::start::Started;
use crate::bootstrap::{step, step_ids};
use crate::error::{FailedStep, NotReady};
use crate::event::{Detail, Event, Outcome, StepEnded, Verbosity, Waiting, Warning, whole_millis};
use crate::node::{File, Reply, Requests, copy_in};
use crate::steps::{readable_title, step_started};
use crate::{Error, Result};

/// A cluster whose nodes have done what they were asked for.
pub(super) struct Driven {
    /// The administrator's kubeconfig as kubeadm wrote it.
    pub(super) admin: String,
    /// Why the cluster is not ready, if it was waited for and is not.
    pub(super) not_ready: Option<NotReady>,
}

/// Sends the nodes their requests and waits until all have ended.
pub(super) fn drive_bootstrap(
    coordinator: &Coordinator<'_>,
    started: Started,
    phases: &mut Phases<'_>,
) -> Result<Driven> {
    let mut script = started.requests;
    let mut requests = Requests::new(coordinator.provider.shared_engine());
    requests.begin_request(&script.first, &script.init, &[]);
    let beside = mem::take(&mut script.beside);
    for (node, request) in &beside {
        requests.begin_request(node, request, &[]);
    }
    let mut run = BootstrapRun {
        engine: coordinator.engine(),
        beside: beside
            .iter()
            .filter(|(_, request)| joins_by_itself(request))
            .map(|(node, _)| node.clone())
            .collect(),
        waiting: BTreeMap::new(),
        joining: 0,
        script,
        phase_sequence: started.phase_sequence,
        phases,
        shared: Vec::new(),
        admin: None,
        not_ready: None,
    };
    run.tell_waiting();
    let abandon = || coordinator.abandon_requests();
    requests.handle_replies(coordinator.cancel, abandon, |requests, node, reply| {
        run.on_reply(requests, node, reply)
    })?;
    run.finish_run()
}

/// What a node waits for, and since when.
type Waits = (String, Instant);

/// What is known of a bootstrap so far.
struct BootstrapRun<'a, 'l> {
    engine: &'a dyn Engine,
    script: BootstrapRequests,
    phase_sequence: PhaseSequence,
    phases: &'a mut Phases<'l>,
    /// Nodes that start beside the first one and need nothing more from it than to be known.
    beside: BTreeSet<String>,
    /// Since when nodes wait for their turn.
    waiting: BTreeMap<String, Waits>,
    /// How many of the running group have not joined yet.
    joining: usize,
    /// What the first node has told for the control planes that join it.
    shared: Vec<File>,
    admin: Option<String>,
    not_ready: Option<NotReady>,
}

impl BootstrapRun<'_, '_> {
    fn on_reply(&mut self, requests: &mut Requests, node: &str, reply: Reply) -> Result<()> {
        match reply {
            Reply::Event(event) => self.on_event(requests, node, event),
            Reply::Noise(line) => {
                tracing::debug!(line = %redact_text(&line), node, "node");
                Ok(())
            }
            Reply::Ended(code) if code != 0 && self.not_ready.is_none() => {
                let reason = format!("the request ended with code {code}");
                Err(failed_step(node, "failed to finish its request", reason))
            }
            Reply::Ended(_) => Ok(()),
        }
    }

    fn on_event(&mut self, requests: &mut Requests, node: &str, event: NodeEvent) -> Result<()> {
        match event {
            NodeEvent::Started { id, name } => self.tell_started(node, id, name),
            NodeEvent::Finished {
                id,
                name,
                ms,
                output,
            } => {
                let ended = StepEnded {
                    node: node.to_owned(),
                    id,
                    title: readable_title(id, name),
                    ms,
                };
                self.on_step_finished(ended, &output);
            }
            NodeEvent::Failed {
                id: StepId::Ready,
                output,
                causes,
                ..
            } => self.on_not_ready(node, NotReady::new(&output, causes)),
            NodeEvent::Failed {
                id,
                name,
                reason,
                output,
                causes,
            } => {
                let failed = FailedStep {
                    node: node.to_owned(),
                    action: self.describe_failure(node, id, &name),
                    reason,
                    output: redact_document(&output).into_owned(),
                    causes,
                };
                let failed = match id {
                    StepId::Kubeadm(_) => tell_kubeadms_error(failed),
                    _ => failed,
                };
                return Err(failed.into_error());
            }
            NodeEvent::Slow {
                id,
                name,
                ms,
                causes,
            } => self.tell_slow(node, id, name, ms, &causes),
            NodeEvent::File { id, path, text } => self.take_file(id, path, text)?,
            NodeEvent::Marked { id } => self.on_mark(requests, id),
        }
        Ok(())
    }

    fn take_file(&mut self, id: StepId, path: String, text: String) -> Result<()> {
        match id {
            StepId::AdminKubeconfig => self.admin = Some(text),
            StepId::BalancerKubeconfig => self.give_balancer(text)?,
            _ => self.keep_shared_file(path, text),
        }
        Ok(())
    }

    fn on_mark(&mut self, requests: &mut Requests, id: StepId) {
        match id {
            StepId::Serves => self.next_group(requests),
            StepId::Joined => {
                self.joining = self.joining.saturating_sub(1);
                if self.joining == 0 {
                    self.next_group(requests);
                }
            }
            id => tracing::trace!(?id, "a mark of a node"),
        }
    }

    fn tell_started(&self, node: &str, id: StepId, name: String) {
        // A worker that has started alone joins by being registered at the first node.
        let joins = id == step::JOIN && self.beside.contains(node);
        let awaited = joins.then_some(self.script.first.as_str());
        let title = readable_title(id, name);
        self.phases
            .send_event(step_started(node, id, &title, awaited));
    }

    /// Tells which nodes wait for others.
    fn tell_waiting(&mut self) {
        let begin = Instant::now();
        let mut awaited = self.script.first.clone();
        for group in &self.script.groups {
            for (node, _) in group {
                let title = await_title(&awaited);
                let waiting = step_started(node, StepId::Serves, &title, Some(&awaited));
                self.phases.send_event(waiting);
                self.waiting.insert(node.clone(), (awaited.clone(), begin));
            }
            if let Some((last, _)) = group.last() {
                awaited.clone_from(last);
            }
        }
    }

    /// It is the node's turn.
    fn end_waiting(&mut self, node: &str) {
        let Some((awaited, begin)) = self.waiting.remove(node) else {
            return;
        };
        self.phases.send_event(Event::StepEnded(StepEnded {
            node: node.to_owned(),
            id: StepId::Serves,
            title: await_title(&awaited),
            ms: whole_millis(begin.elapsed()),
        }));
    }

    /// A step has ended well: it is told, and the sequence of phases goes on.
    fn on_step_finished(&mut self, ended: StepEnded, output: &str) {
        let (node, id) = (ended.node.clone(), ended.id);
        self.phases.send_event(Event::StepEnded(ended));
        if matches!(id, StepId::Kubeadm(_)) {
            let output = redact_document(output);
            let detail = Detail::new(Verbosity::Output, output).of_node(&node);
            self.phases.send_detail(detail.of_step(id));
        }
        if id == StepId::RuntimeVersions {
            self.judge_runtime(output);
        }
        self.phase_sequence.finish_step(&node, id, self.phases);
    }

    /// A cluster that is not ready in time stays, whatever is in its way.
    fn on_not_ready(&mut self, node: &str, found: NotReady) {
        for check in &found.causes {
            let text = format!("{node}: {check}; {}", check.remedy);
            self.phases
                .send_event(Event::Warning(Warning::InTheWay(text)));
        }
        self.not_ready = Some(found);
    }

    /// Tells what is waited for, and what may be in the way.
    fn tell_slow(&self, node: &str, id: StepId, name: String, ms: u64, causes: &[Check]) {
        let waiting = Waiting {
            node: node.to_owned(),
            title: readable_title(id, name),
            seconds: ms / 1000,
            cause: causes.first().map(Check::to_string),
        };
        if waiting.cause.is_some() {
            return self
                .phases
                .send_event(Event::Warning(Warning::Waiting(waiting)));
        }
        let text = waiting.to_string();
        self.phases.send_event(Event::Note { text: text.clone() });
        let detail = Detail::new(StepEnded::LEVEL, text).of_node(node);
        self.phases.send_detail(detail.of_step(id));
    }

    /// What could not be done, in kind's words.
    fn describe_failure(&self, node: &str, id: StepId, title: &str) -> String {
        match id {
            StepId::ApiServer => "failed to init node with kubeadm".to_owned(),
            // Whatever kubeadm does on the first node is the cluster's initialization.
            StepId::Kubeadm(_) if node == self.script.first => {
                "failed to init node with kubeadm".to_owned()
            }
            StepId::Kubeadm(_) => "failed to join node with kubeadm".to_owned(),
            StepId::ContainerRuntime
            | StepId::AdminKubeconfig
            | StepId::BalancerKubeconfig
            | StepId::SharedFile => format!("node {node:?} did not get to {title}"),
            StepId::Other
            | StepId::Request
            | StepId::Create
            | StepId::Boot
            | StepId::Files
            | StepId::MakeBalancerKubeconfig
            | StepId::Sysctls
            | StepId::RuntimeVersions
            | StepId::ApiServerAnswer
            | StepId::Serves
            | StepId::Registration
            | StepId::Joined
            | StepId::TaintsAndLabels
            | StepId::PodNetwork
            | StepId::ClusterDns
            | StepId::Storage
            | StepId::ServiceAddresses
            | StepId::UserManifest
            | StepId::DefaultServiceAccount
            | StepId::FirstPods
            | StepId::PodCidrs
            | StepId::FinalizeKubelet
            | StepId::ForgetToken
            | StepId::NoteStop
            | StepId::Ready => format!("failed to {title}"),
        }
    }

    /// Warns of what the first node's Kubernetes cannot do with these versions of what runs its containers.
    fn judge_runtime(&self, told: &str) {
        for text in runtime_shortcomings(&self.script.version, told) {
            self.phases.send_event(Event::Warning(Warning::Image(text)));
        }
    }

    /// The load balancer's kubeconfig, which is empty where kubeadm could make none.
    fn give_balancer(&self, text: String) -> Result<()> {
        let Some(balancer) = self.script.balancer.as_deref().filter(|_| !text.is_empty()) else {
            return Ok(());
        };
        let mut file = File::new(KUBECONFIG, text);
        file.mode = 0o600;
        copy_in(self.engine, balancer, &[file])
    }

    /// A file of the first node for the control planes that join it.
    fn keep_shared_file(&mut self, path: String, text: String) {
        let mut file = File::new(path, text);
        if file.path.ends_with(".key") {
            file.mode = 0o600;
        }
        self.shared.push(file);
    }

    /// Begins the next group that has a request; after the last one, what the first node is asked then.
    fn next_group(&mut self, requests: &mut Requests) {
        while let Some(group) = self.script.groups.pop_front() {
            self.joining = group.len();
            for (node, request) in group {
                self.end_waiting(&node);
                requests.begin_request(&node, &request, &self.shared);
            }
            if self.joining > 0 {
                return;
            }
        }
        if let Some(last) = self.script.last.take() {
            requests.begin_request(&self.script.first, &last, &[]);
        }
    }

    /// All requests have ended.
    fn finish_run(self) -> Result<Driven> {
        let first = &self.script.first;
        if self.not_ready.is_some() {
            self.phases.end_phase(Outcome::Failed);
            self.phases.send_event(Event::NotReady);
        }
        self.phases.end_phase(Outcome::Done);
        let missing = || failed_step(first, "failed to tell its kubeconfig", String::new());
        Ok(Driven {
            admin: self.admin.ok_or_else(missing)?,
            not_ready: self.not_ready,
        })
    }
}

/// Whether a node that starts beside the first one has joined when this request is done.
fn joins_by_itself(request: &Request) -> bool {
    step_ids(&request.steps).contains(&step::JOIN)
}

fn await_title(awaited: &str) -> String {
    format!("wait for {awaited}")
}

/// What a Kubernetes has but cannot do, from the first lines of `containerd --version` and `runc --version`:
/// the third word of each is the version.
fn runtime_shortcomings(kubernetes: &str, told: &str) -> Vec<String> {
    let versions = told.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().take(3).collect();
        match words[..] {
            ["runc", "version", version] => Some(("runc", version)),
            ["containerd", _, version] => Some(("containerd", version)),
            _ => None,
        }
    });
    let judged = versions
        .filter_map(|(package, version)| packages::shortcoming(kubernetes, package, version));
    judged.map(|shortcoming| shortcoming.to_string()).collect()
}

/// Puts what kubeadm itself says of its failure first.
fn tell_kubeadms_error(mut failed: FailedStep) -> FailedStep {
    let Some(told) = KubeadmFailure::parse(&failed.output) else {
        return failed;
    };
    failed.causes.extend(told.to_check());
    failed.causes.sort_by_key(|check| Reverse(check.severity));
    failed.reason = told.reason;
    failed.output = told.output;
    failed
}

/// A request that ended without saying why.
fn failed_step(node: &str, action: &str, reason: String) -> Error {
    FailedStep {
        node: node.to_owned(),
        action: action.to_owned(),
        reason,
        output: String::new(),
        causes: Vec::new(),
    }
    .into_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubeadms_own_error_is_the_reason() {
        let cause = Check {
            subject: "etcd".to_owned(),
            ..Check::default()
        };
        let failed = tell_kubeadms_error(FailedStep {
            node: "a".to_owned(),
            action: "failed to init node with kubeadm".to_owned(),
            reason: "exit code 1".to_owned(),
            output: "I1130 00:36:58.1 1 a.go:1] a\nerror: error execution phase certs/ca: odd\n"
                .to_owned(),
            causes: vec![cause],
        });
        assert_eq!(failed.output, "error: error execution phase certs/ca: odd");
        let subjects = failed.causes.iter().map(|check| check.subject.as_str());
        assert_eq!(subjects.collect::<Vec<_>>(), ["kubeadm", "etcd"]);
        let error = failed.into_error();
        let message = "failed to init node with kubeadm: certs/ca: odd";
        assert_eq!(error.to_string(), message);
        assert!(error.remedy().unwrap().contains("/etc/kubernetes/pki"));
    }

    #[test]
    fn an_image_that_tells_nothing_is_judged_by_its_programs() {
        let old = "containerd github.com/containerd/containerd v1.7.24 88bf19b2105c8b17560993bee28a01ddc2f97182\n\
                   runc version 1.1.14\ncommit: v1.1.14-0-g2c9f560\nspec: 1.0.2-dev\n";
        let told = runtime_shortcomings("v1.36.2", old);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].contains("containerd v1.7.24") && told[0].contains("image volumes"),
            "{told:?}"
        );
        assert_eq!(runtime_shortcomings("v1.30.0", old), [""; 0]);
        let new = "containerd github.com/containerd/containerd/v2 v2.3.4 0\nrunc version 1.4.3\n";
        assert_eq!(runtime_shortcomings("v1.37.0", new), [""; 0]);
        assert_eq!(
            runtime_shortcomings("v1.37.0", "sh: runc: not found"),
            [""; 0]
        );
    }
}
