//! Booting the nodes and making them a cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use kind_config::{AddOn, Role};
use kind_kubeadm::Networking;
use kind_node::request::Request;

use super::attempt::Attempt;
use super::documents::document_error;
use super::facts::Facts;
use super::nodes::Known;
use super::phases::{Sequence, Stage};
use crate::bootstrap::{self, Manifests, Share, step};
use crate::contents;
use crate::event::{Event, Phase, Warning};
use crate::manifest;
use crate::plan::{NodePlan, Plan};
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

/// How long a node may take until commands can run in it.
const BOOT_LIMIT: Duration = Duration::from_secs(30);

/// The requests of a creation.
pub(super) struct Script {
    /// The node that is started first.
    pub(super) first: String,
    /// Its request.
    pub(super) init: Request,
    /// Requests of the nodes that join once the first one has begun to serve, by name.
    pub(super) joins: BTreeMap<String, Request>,
    /// What the first node is asked for once all have joined.
    pub(super) ready: Option<Request>,
}

impl Attempt<'_> {
    /// Starts the nodes and makes them a cluster. Returns the administrator's kubeconfig.
    pub(super) fn start(&mut self, plan: &Plan, known: &[Known]) -> Result<String> {
        let script = self.script(plan, known)?;
        let mut sequence = Sequence::new(self.stages(plan, &script));
        sequence.begin(&mut self.phases);
        self.boot(plan)?;
        self.converse(script, sequence)
    }

    /// Starts the nodes unless they were, and waits until they take commands.
    pub(super) fn boot(&mut self, plan: &Plan) -> Result<()> {
        if std::mem::replace(&mut self.booted, true) {
            return Ok(());
        }
        let engine = self.provider.engine();
        let boot = |node: &NodePlan| {
            let failed = |action: &str| Error::engine(format!("{action} node {:?}", node.name));
            engine
                .start(&node.name)
                .map_err(failed("failed to start"))?;
            let booted = engine.wait_until_booted(&node.name, BOOT_LIMIT);
            booted.map_err(failed("failed to boot"))
        };
        self.for_each(&plan.nodes, boot).map(drop)
    }

    fn script(&self, plan: &Plan, known: &[Known]) -> Result<Script> {
        let is_first = |(node, _): &(&NodePlan, &Known)| node.name == plan.bootstrap;
        let mut pairs = plan.nodes.iter().zip(known);
        let (first, of_first) = pairs
            .find(is_first)
            .ok_or_else(|| Error::NoControlPlane(plan.cluster.clone()))?;
        let manifests = self.manifests(plan, &first.image, of_first)?;
        let shares: Vec<_> = plan
            .nodes
            .iter()
            .map(|node| Share {
                node: &node.name,
                pod_cidrs: &node.pod_cidrs,
            })
            .collect();
        let mut init = bootstrap::init(&self.cluster, &of_first.kubeadm, &shares, &manifests)
            .map_err(document_error)?;
        let writes_cni = !self.cluster.networking.disable_default_cni;
        let joins: BTreeMap<_, _> = plan
            .nodes
            .iter()
            .zip(known)
            .filter(|pair| !is_first(pair))
            .map(|(node, known)| {
                let request = bootstrap::join(&known.kubeadm, writes_cni);
                (node.name.clone(), request)
            })
            .collect();
        let ready = |limit: Duration| {
            bootstrap::ready(of_first.kubeadm.kubernetes_version(), limit).map_err(document_error)
        };
        let mut ready = self.options.wait.map(ready).transpose()?;
        if self.cluster.load_balancer().is_none() {
            // The only control plane need not wait for workers.
            init.steps.extend(ready.take());
        }
        Ok(Script {
            first: first.name.clone(),
            init,
            joins,
            ready: ready.map(|step| Request { steps: vec![step] }),
        })
    }

    /// kind's phases, each with the steps that must have ended before it has.
    fn stages(&self, plan: &Plan, script: &Script) -> Vec<Stage> {
        let applied = bootstrap::names(&script.init.steps);
        let of_first = |phase, steps: &[&'static str]| {
            let steps = steps.iter().copied().filter(|step| applied.contains(step));
            Stage::new(phase, steps)
        };
        let joins = |phase, role: Role| {
            let nodes = plan.nodes.iter().zip(&self.cluster.nodes);
            let nodes = nodes.filter(|(node, config)| {
                config.role == role && script.joins.contains_key(&node.name)
            });
            Stage::new(phase, nodes.map(|(node, _)| step::join(&node.name)))
        };
        let rest = [
            step::STORAGE,
            step::DNS,
            step::SERVICES,
            step::TAINTS,
            step::LABELS,
        ];
        let mut stages = vec![
            of_first(Phase::StartControlPlane, &[step::INIT]),
            of_first(Phase::InstallCni, &[step::CNI]),
            of_first(Phase::InstallStorage, &rest),
            joins(Phase::JoinControlPlanes, Role::ControlPlane),
            joins(Phase::JoinWorkers, Role::Worker),
        ];
        let wait = self.options.wait.map(|limit| Phase::WaitReady { limit });
        stages.extend(wait.map(|phase| Stage::new(phase, [step::READY])));
        stages
    }

    fn manifests(&self, plan: &Plan, image: &str, known: &Known) -> Result<Manifests> {
        let facts = &known.image;
        let networking = &self.cluster.networking;
        // The user's patches have the last word.
        let documents = kind_kubeadm::render(&self.cluster, &known.kubeadm);
        let patched = Networking::of(&documents.map_err(document_error)?);
        let service_subnet = patched.service_subnet.as_ref();
        let dns_service_ip = dns_service_ip(service_subnet.unwrap_or(&networking.service_subnet));
        let values = manifest::Facts {
            pod_subnet: &networking.pod_subnet,
            dns_service_ip: &dns_service_ip.map(|ip| ip.to_string()).unwrap_or_default(),
            dns_domain: &patched.dns_domain,
            endpoint: &format!("{}:{}", plan.endpoint, kind_config::API_SERVER_PORT),
        };
        let bad = |reason: &str| Error::BadImage {
            image: image.to_owned(),
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
        } else if let Some(text) = &facts.services {
            manifests.services = Some(manifest::fill(text, &values)?);
        }
        let add_ons = &self.cluster.add_ons;
        if let Some(text) = facts.dns.as_ref().filter(|_| add_ons.dns != AddOn::None) {
            manifests.dns = Some(manifest::fill(text, &values)?);
        }
        if add_ons.storage != AddOn::None {
            manifests.storage = Some(manifest::fill(&self.storage(facts), &values)?);
        }
        let of_user = self.cluster.manifests.iter().enumerate();
        manifests.more = of_user
            .map(|(index, content)| {
                let name = contents::name(content, &format!("manifests[{index}]"));
                (name, content.text.clone())
            })
            .collect();
        Ok(manifests)
    }

    fn storage(&self, facts: &Facts) -> String {
        facts.storage.clone().unwrap_or_else(|| {
            self.phases.tell(Event::Warning(Warning::NoStorageManifest));
            OLD_STORAGE.to_owned()
        })
    }
}
