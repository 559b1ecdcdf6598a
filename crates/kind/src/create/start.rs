//! Booting the nodes and making them a cluster.

use kind_node::request::{Event as Told, Request, Step};

use super::attempt::{Attempt, Known};
use super::documents::document_error;
use super::facts::Facts;
use super::phases::Sequence;
use crate::bootstrap::{self, ADMIN_CONFIG, Manifests, step};
use crate::event::{Event, Outcome, Warning};
use crate::manifest;
use crate::node::{Abandoned, Reply, send};
use crate::plan::Plan;
use crate::subnet::dns_service_ip;
use crate::{Error, Result};

/// What stands in for the storage manifest of an image that has none.
const OLD_STORAGE: &str = "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations:
    storageclass.kubernetes.io/is-default-class: \"true\"
provisioner: kubernetes.io/host-path
";

impl Attempt<'_> {
    /// Starts the nodes and sends the request that makes the first one a cluster. Returns the
    /// administrator's kubeconfig.
    pub(super) fn start(&mut self, plan: &Plan, known: &[Known]) -> Result<String> {
        let first = plan
            .nodes
            .iter()
            .position(|node| node.name == plan.bootstrap);
        let (node, known) = first
            .and_then(|index| Some((plan.nodes.get(index)?, known.get(index)?)))
            .ok_or_else(|| Error::NoControlPlane(plan.cluster.clone()))?;
        let manifests = self.manifests(plan, &known.image)?;
        let wait = self.options.wait;
        let request = bootstrap::init(
            &self.cluster,
            (&known.kubeadm, &node.pod_cidrs),
            &manifests,
            wait,
        )
        .map_err(document_error)?;
        let mut sequence = Sequence::new(&steps(&request.steps), wait);
        sequence.begin(&mut self.phases);
        for node in &plan.nodes {
            self.check()?;
            let action = format!("failed to start node {:?}", node.name);
            self.provider
                .engine()
                .start(&node.name)
                .map_err(Error::engine(action))?;
        }
        self.bootstrap(&plan.bootstrap, &request, sequence)
    }

    fn manifests(&self, plan: &Plan, facts: &Facts) -> Result<Manifests> {
        let networking = &self.cluster.networking;
        let dns_service_ip = dns_service_ip(&networking.service_subnet);
        let values = manifest::Facts {
            pod_subnet: &networking.pod_subnet,
            dns_service_ip: &dns_service_ip.map(|ip| ip.to_string()).unwrap_or_default(),
            endpoint: &format!("{}:{}", plan.endpoint, kind_config::API_SERVER_PORT),
        };
        let bad = |reason: &str| Error::BadImage {
            image: plan
                .nodes
                .first()
                .map_or(String::new(), |node| node.image.clone()),
            reason: reason.to_owned(),
        };
        let mut manifests = Manifests::default();
        if !networking.disable_default_cni {
            let text = facts
                .cni
                .as_deref()
                .ok_or_else(|| bad("failed to read CNI manifest"))?;
            let filled = manifest::fill(text, &values)?;
            self.phases
                .detail(5, format!("Using the following CNI manifest:\n{filled}"));
            manifests.cni = Some(filled);
        }
        if let Some(text) = &facts.dns {
            manifests.dns = Some(manifest::fill(text, &values)?);
        }
        manifests.storage = match &facts.storage {
            Some(text) => text.clone(),
            None => {
                self.phases.tell(Event::Warning(Warning::NoStorageManifest));
                OLD_STORAGE.to_owned()
            }
        };
        Ok(manifests)
    }

    fn bootstrap(
        &mut self,
        node: &str,
        request: &Request,
        mut sequence: Sequence,
    ) -> Result<String> {
        let engine = self.provider.shared_engine();
        let (made, retain) = (self.made.clone(), self.options.retain);
        let abandon = || {
            if retain {
                return Abandoned::NodeKept;
            }
            if let Err(error) = engine.remove(&made) {
                tracing::debug!(%error, "nodes of an interrupted creation");
            }
            Abandoned::NodeTaken
        };
        let phases = &mut self.phases;
        let (mut admin, mut ready) = (None, true);
        let code = send(
            &engine,
            node,
            request,
            &self.options.cancel,
            abandon,
            |reply| {
                match reply {
                    Reply::Event(Told::Finished { name, ms, output }) => {
                        phases.detail(1, format!("{name} took {ms} ms"));
                        if name == step::INIT {
                            phases.detail(3, output);
                        }
                        sequence.finished(&name, phases);
                    }
                    Reply::Event(Told::Failed { name, .. }) if name == step::READY => ready = false,
                    Reply::Event(Told::Failed {
                        name,
                        reason,
                        output,
                    }) => {
                        return Err(failed(node, &name, reason, output));
                    }
                    Reply::Event(Told::File { path, text }) if path == ADMIN_CONFIG => {
                        admin = Some(text);
                    }
                    Reply::Event(event) => tracing::trace!(?event, node, "node"),
                    Reply::Noise(line) => tracing::debug!(line, node, "node"),
                }
                Ok(())
            },
        )?;
        if !ready {
            phases.end(Outcome::Failed);
            phases.tell(Event::NotReady);
        } else if code != 0 {
            let reason = format!("the request ended with code {code}");
            return Err(failed(node, "finish its request", reason, String::new()));
        }
        phases.end(Outcome::Done);
        let missing = || failed(node, "tell its kubeconfig", String::new(), String::new());
        admin.ok_or_else(missing)
    }
}

/// Names of all steps of a request.
fn steps(steps: &[Step]) -> Vec<&str> {
    let mut names = Vec::new();
    for step in steps {
        match step {
            Step::Run { name, .. } | Step::Wait { name, .. } => names.push(name.as_str()),
            Step::Together { sequences } => {
                names.extend(sequences.iter().flat_map(|sequence| self::steps(sequence)));
            }
            _ => {}
        }
    }
    names
}

fn failed(node: &str, step: &str, reason: String, output: String) -> Error {
    let action = match step {
        step::INIT => "failed to init node with kubeadm".to_owned(),
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
