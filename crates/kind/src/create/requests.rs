//! What nodes are asked so that they become a cluster, and in which order.

use std::collections::VecDeque;
use std::time::Duration;

use kind_config::{AddOn, KubeProxyMode, Role};
use kind_node::request::{Request, Step, StepId};

use super::documents::ClusterDocuments;
use super::image_facts::ImageFacts;
use super::node_documents::NodeDocuments;
use super::phases::{PhaseSequence, Phases, Stage};
use super::strategy::BootstrapStrategy;
use crate::bootstrap::{self, First, Manifests, PodCidrAssignment, Readiness, SHARED_FILES, step};
use crate::event::{Detail, Event, Phase, Verbosity, Warning};
use crate::manifest;
use crate::plan::Plan;
use crate::subnet::{dns_service_ip, plain_subnets};
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

/// Requests by the names of their nodes.
type Requests = Vec<(String, Request)>;

/// The requests of a creation.
pub(super) struct BootstrapRequests {
    /// The node that is started first.
    pub(super) first: String,
    /// Its version of Kubernetes.
    pub(super) version: String,
    /// The load balancer, if there is one.
    pub(super) balancer: Option<String>,
    /// The first node's request.
    pub(super) init: Request,
    /// Requests of nodes that start beside it.
    pub(super) beside: Requests,
    /// Requests once the first node serves: those of one group at once, the groups one after the other.
    pub(super) groups: VecDeque<Requests>,
    /// What the first node is asked for once all groups are done.
    pub(super) last: Option<Request>,
}

impl BootstrapRequests {
    /// What every node is asked; with `wait`, also to tell when the control plane is ready, at most so long.
    ///
    /// # Errors
    /// The first node's image lacks a manifest.
    pub(super) fn new(
        plan: &Plan,
        documents: &ClusterDocuments<'_>,
        wait: Option<Duration>,
        phases: &Phases<'_>,
    ) -> Result<Self> {
        let first = documents
            .nodes
            .get(&plan.bootstrap)
            .ok_or_else(|| Error::NoControlPlane(plan.cluster.clone()))?;
        let manifests = make_manifests(plan, first, phases)?;
        let mut init = init_request(plan, documents, first, &manifests)?;
        let (beside, groups) = requests_of_others(documents);
        let readiness = readiness_of(plan);
        let mut ready = wait.map(|limit| bootstrap::await_nodes_step(readiness, limit));
        if documents.strategy.control_planes.len() == 1 {
            // Workers come while it waits.
            init.steps.extend(ready.take());
        }
        Ok(Self {
            first: first.plan.name.clone(),
            version: first.known.image.version.clone(),
            balancer: plan.balancer().map(|balancer| balancer.name.clone()),
            init,
            beside,
            groups,
            last: last_request(&documents.strategy, ready),
        })
    }

    /// kind's phases, each with the steps that must have ended before it has.
    pub(super) fn phase_sequence(&self, plan: &Plan, wait: Option<Duration>) -> PhaseSequence {
        let wanted = bootstrap::step_ids(&self.init.steps);
        let of_first = |phase, steps: &[StepId]| {
            let steps = steps.iter().filter(|step| wanted.contains(step));
            Stage::new(phase, steps.map(|step| (self.first.clone(), *step)))
        };
        let nodes = plan.kubernetes_nodes();
        let joins = |phase, control_planes: bool| {
            let nodes = nodes.iter().map(|node| node.plan).filter(|node| {
                node.is_control_plane() == control_planes && node.name != self.first
            });
            Stage::new(phase, nodes.map(|node| (node.name.clone(), step::JOIN)))
        };
        let rest = [
            StepId::Storage,
            StepId::ClusterDns,
            StepId::ServiceAddresses,
            StepId::TaintsAndLabels,
        ];
        let mut stages = vec![
            of_first(
                Phase::StartControlPlane,
                &[&[step::INIT], &step::RECORDS[..]].concat(),
            ),
            of_first(Phase::InstallCni, &[StepId::PodNetwork]),
            of_first(Phase::InstallStorage, &rest),
            joins(Phase::JoinControlPlanes, true),
            joins(Phase::JoinWorkers, false),
        ];
        let wait = wait.map(|limit| Phase::WaitReady { limit });
        let ready = (self.first.clone(), StepId::Ready);
        stages.extend(wait.map(|phase| Stage::new(phase, [ready])));
        PhaseSequence::new(stages)
    }
}

/// What makes the cluster ready. Where the user brings the network, addresses of Services are the user's as well.
fn readiness_of(plan: &Plan) -> Readiness {
    let networking = &plan.kubernetes.networking;
    Readiness {
        nodes: plan.kubernetes_nodes().len(),
        service_address: !networking.disable_default_cni
            && networking.kube_proxy_mode != KubeProxyMode::None,
    }
}

/// What is left once all groups are done: a token by which nodes have joined is not to let in anybody else.
fn last_request(strategy: &BootstrapStrategy, ready: Option<Step>) -> Option<Request> {
    let forget = || bootstrap::forget_token_step(strategy.token_id());
    let forget = strategy.has_joins.then(forget);
    let steps: Vec<_> = forget.into_iter().chain(ready).collect();
    (!steps.is_empty()).then_some(Request { steps })
}

/// The request of the first node.
fn init_request(
    plan: &Plan,
    documents: &ClusterDocuments<'_>,
    first: &NodeDocuments<'_>,
    manifests: &Manifests,
) -> Result<Request> {
    let strategy = &documents.strategy;
    let nodes = plan.kubernetes_nodes().into_iter();
    let pod_cidr_assignments = nodes.map(|node| PodCidrAssignment {
        node: &node.plan.name,
        pod_cidrs: &node.plan.pod_cidrs,
    });
    let copies = !strategy.is_prepared() && strategy.control_planes.len() > 1;
    let first = First {
        cluster: &plan.kubernetes,
        node: first.settings,
        facts: &first.facts,
        documents: &first.documents,
        pod_cidr_assignments: &pod_cidr_assignments.collect::<Vec<_>>(),
        manifests,
        prepared: strategy.is_prepared(),
        etcd_of_several: strategy.has_etcd_of_several(),
        asks_runtime: first.known.image.packages.is_none(),
        unused_token: (!strategy.has_joins).then(|| strategy.token_id()),
        reads: if copies { &SHARED_FILES } else { &[] },
    };
    first.bootstrap_request().map_err(Error::document)
}

/// The requests of all nodes but the first: beside it, and once it serves.
fn requests_of_others(documents: &ClusterDocuments<'_>) -> (Requests, VecDeque<Requests>) {
    let (strategy, writes_cni) = (&documents.strategy, documents.writes_cni);
    let others: Vec<_> = documents
        .nodes
        .values()
        .filter(|node| !strategy.is_first(&node.plan.name))
        .collect();
    let (control_planes, workers): (Vec<_>, Vec<_>) = others
        .iter()
        .partition(|node| node.settings.role == Role::ControlPlane);
    let name = |node: &NodeDocuments<'_>| node.plan.name.clone();
    if strategy.at_once {
        let start = |node: &&NodeDocuments<'_>| {
            let socket = node.documents.cri_socket();
            let role = &node.settings.role;
            let request = bootstrap::start_request(&node.facts, role, socket, writes_cni);
            (name(node), request)
        };
        let mark = |node: &&NodeDocuments<'_>| (name(node), bootstrap::mark_request(&node.facts));
        let marks = control_planes.iter().map(mark).collect();
        return (others.iter().map(start).collect(), [marks].into());
    }
    let join = |node: &&NodeDocuments<'_>| {
        let own_kubelet = strategy.has_own_kubelet(&node.plan.name);
        let request = bootstrap::join_request(&node.facts, own_kubelet, writes_cni);
        (name(node), request)
    };
    let mut groups: VecDeque<_> = control_planes.iter().map(|node| vec![join(node)]).collect();
    groups.push_back(workers.iter().map(join).collect());
    (Vec::new(), groups)
}

/// The manifests of the first node's image with the cluster's values, and the user's.
fn make_manifests(
    plan: &Plan,
    first: &NodeDocuments<'_>,
    phases: &Phases<'_>,
) -> Result<Manifests> {
    let facts = &first.known.image;
    let networking = &plan.kubernetes.networking;
    // The user's patches have the last word.
    let service_subnet = first.documents.service_subnet();
    let service_subnet = service_subnet.unwrap_or(&networking.service_subnet);
    let dns_service_ip = dns_service_ip(service_subnet);
    let has_proxy = networking.kube_proxy_mode != KubeProxyMode::None;
    let proxied_subnet = has_proxy.then(|| plain_subnets(service_subnet));
    let values = manifest::TemplateValues {
        pod_subnet: &plain_subnets(&networking.pod_subnet),
        service_subnet: &proxied_subnet.unwrap_or_default(),
        dns_service_ip: &dns_service_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        dns_domain: first.documents.dns_domain(),
        endpoint: &format!("{}:{}", plan.endpoint, kind_config::API_SERVER_PORT),
    };
    let bad = |reason: &str| Error::BadImage {
        image: first.plan.image.clone(),
        reason: reason.to_owned(),
    };
    let mut manifests = Manifests::default();
    if !networking.disable_default_cni {
        let text = facts
            .cni
            .as_deref()
            .ok_or_else(|| bad("failed to read CNI manifest"))?;
        let filled = manifest::fill_manifest(text, &values)?;
        let text = format!("Using the following CNI manifest:\n{filled}");
        phases.send_detail(Detail::new(Verbosity::Manifests, text));
        manifests.cni = Some(filled);
    } else if let Some(text) = &facts.services {
        manifests.services = Some(manifest::fill_manifest(text, &values)?);
    }
    let add_ons = &plan.kubernetes.add_ons;
    if let Some(text) = facts.dns.as_ref().filter(|_| add_ons.dns != AddOn::None) {
        manifests.dns = Some(manifest::fill_manifest(text, &values)?);
    }
    if add_ons.storage != AddOn::None {
        manifests.storage = Some(manifest::fill_manifest(
            &storage_manifest(facts, phases),
            &values,
        )?);
    }
    manifests.of_user.clone_from(&plan.manifests);
    Ok(manifests)
}

fn storage_manifest(facts: &ImageFacts, phases: &Phases<'_>) -> String {
    facts.storage.clone().unwrap_or_else(|| {
        phases.send_event(Event::Warning(Warning::NoStorageManifest));
        OLD_STORAGE.to_owned()
    })
}
