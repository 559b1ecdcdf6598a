//! Booting the nodes and making them a cluster.

use std::collections::VecDeque;
use std::time::Duration;

use kind_config::{AddOn, KubeProxyMode, Node, Role};
use kind_kubeadm::Networking;
use kind_node::request::Request;

use super::attempt::Attempt;
use super::documents::document_error;
use super::facts::Facts;
use super::nodes::Known;
use super::phases::{Sequence, Stage};
use super::way::Way;
use crate::bootstrap::{self, First, Manifests, SHARED_FILES, Share, step};
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

/// Requests by the names of their nodes.
type Requests = Vec<(String, Request)>;

/// The requests of a creation.
pub(super) struct Script {
    /// The node that is started first.
    pub(super) first: String,
    /// Its version of Kubernetes.
    pub(super) version: String,
    /// The load balancer, if there is one.
    pub(super) balancer: Option<String>,
    /// Its request.
    pub(super) init: Request,
    /// Requests of nodes that start beside it.
    pub(super) beside: Requests,
    /// Requests once the first node serves: those of one group at once, the groups one after the other.
    pub(super) groups: VecDeque<Requests>,
    /// What the first node is asked for once all control planes are there.
    pub(super) ready: Option<Request>,
}

impl Attempt<'_> {
    /// Starts the nodes and makes them a cluster. Returns the administrator's kubeconfig.
    pub(super) fn start(&mut self, plan: &Plan, way: &Way, known: &[Known]) -> Result<String> {
        let script = self.script(plan, way, known)?;
        let mut sequence = self.sequence(plan, &script);
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
            if node.is_balancer() {
                return Ok(());
            }
            let booted = engine.wait_until_booted(&node.name, BOOT_LIMIT);
            booted.map_err(failed("failed to boot"))
        };
        self.for_each(&plan.nodes, boot).map(drop)
    }

    /// What every node is asked.
    fn script(&self, plan: &Plan, way: &Way, known: &[Known]) -> Result<Script> {
        let nodes = plan.kubernetes_nodes();
        let mut pairs = known.iter().zip(&nodes);
        let (first, node) = pairs
            .find(|(known, _)| way.is_first(&known.kubeadm.name))
            .ok_or_else(|| Error::NoControlPlane(plan.cluster.clone()))?;
        let manifests = self.manifests(plan, &node.image, first)?;
        let shares: Vec<_> = nodes
            .iter()
            .map(|node| Share {
                node: &node.name,
                pod_cidrs: &node.pod_cidrs,
            })
            .collect();
        let copies = !way.is_prepared() && way.control_planes.len() > 1;
        let init = First {
            cluster: &self.cluster,
            facts: &first.kubeadm,
            documents: &first.documents,
            shares: &shares,
            manifests: &manifests,
            prepared: way.is_prepared(),
            etcd_of_several: way.has_etcd_of_several(),
            asks_runtime: first.image.packages.is_none(),
            reads: match copies {
                true => &SHARED_FILES,
                false => &[],
            },
        };
        let mut init = init.request().map_err(document_error)?;
        let kindnet = first.image.brings_kindnet();
        let (beside, groups) = self.of_others(way, known, kindnet);
        let version = first.kubeadm.kubernetes_version();
        let ready = |limit| bootstrap::ready(version, limit).map_err(document_error);
        let mut ready = self.options.wait.map(ready).transpose()?;
        if way.control_planes.len() == 1 {
            // The only control plane need not wait for workers.
            init.steps.extend(ready.take());
        }
        Ok(Script {
            first: first.kubeadm.name.clone(),
            version: first.image.version.clone(),
            balancer: plan.balancer().map(|balancer| balancer.name.clone()),
            init,
            beside,
            groups,
            ready: ready.map(|step| Request { steps: vec![step] }),
        })
    }

    /// The requests of all nodes but the first: beside it, and once it serves.
    fn of_others(
        &self,
        way: &Way,
        known: &[Known],
        kindnet: bool,
    ) -> (Requests, VecDeque<Requests>) {
        let writes_cni = kindnet && !self.cluster.networking.disable_default_cni;
        let pairs = known.iter().zip(&self.cluster.nodes);
        let mut others: Vec<_> = pairs
            .filter(|(known, _)| !way.is_first(&known.kubeadm.name))
            .collect();
        others.sort_by_key(|(known, _)| &known.kubeadm.name);
        let (control_planes, workers): (Vec<_>, Vec<_>) = others
            .iter()
            .partition(|(_, node)| node.role == Role::ControlPlane);
        let name = |known: &Known| known.kubeadm.name.clone();
        if way.at_once {
            let start = |(known, node): &(&Known, &Node)| {
                let (facts, socket) = (&known.kubeadm, known.documents.cri_socket());
                let request = bootstrap::start(facts, &node.role, socket, writes_cni);
                (name(known), request)
            };
            let mark =
                |(known, _): &(&Known, &Node)| (name(known), bootstrap::mark(&known.kubeadm));
            let marks = control_planes.iter().map(mark).collect();
            return (others.iter().map(start).collect(), [marks].into());
        }
        let join = |(known, _): &(&Known, &Node)| {
            let own_kubelet = way.has_own_kubelet(&known.kubeadm.name);
            let request = bootstrap::join(&known.kubeadm, own_kubelet, writes_cni);
            (name(known), request)
        };
        let mut groups: VecDeque<_> = control_planes.iter().map(|node| vec![join(node)]).collect();
        groups.push_back(workers.iter().map(join).collect());
        (Vec::new(), groups)
    }

    /// kind's phases, each with the steps that must have ended before it has.
    fn sequence(&self, plan: &Plan, script: &Script) -> Sequence {
        let applied = bootstrap::names(&script.init.steps);
        let of_first = |phase, steps: &[&'static str]| {
            let steps = steps.iter().copied().filter(|step| applied.contains(step));
            Stage::new(phase, steps)
        };
        let nodes = plan.kubernetes_nodes();
        let joins = |phase, control_planes: bool| {
            let nodes = nodes.iter().filter(|node| {
                node.is_control_plane() == control_planes && node.name != script.first
            });
            Stage::new(phase, nodes.map(|node| step::join(&node.name)))
        };
        let rest = [step::STORAGE, step::DNS, step::SERVICES, step::MARKS];
        let mut stages = vec![
            of_first(
                Phase::StartControlPlane,
                &[&[step::INIT], &step::RECORDS[..]].concat(),
            ),
            of_first(Phase::InstallCni, &[step::CNI]),
            of_first(Phase::InstallStorage, &rest),
            joins(Phase::JoinControlPlanes, true),
            joins(Phase::JoinWorkers, false),
        ];
        let wait = self.options.wait.map(|limit| Phase::WaitReady { limit });
        stages.extend(wait.map(|phase| Stage::new(phase, [step::READY])));
        Sequence::new(stages)
    }

    fn manifests(&self, plan: &Plan, image: &str, known: &Known) -> Result<Manifests> {
        let facts = &known.image;
        let networking = &self.cluster.networking;
        // The user's patches have the last word.
        let documents = kind_kubeadm::render(&self.cluster, &known.kubeadm);
        let patched = Networking::of(&documents.map_err(document_error)?);
        let service_subnet = patched.service_subnet.as_ref();
        let service_subnet = service_subnet.unwrap_or(&networking.service_subnet);
        let dns_service_ip = dns_service_ip(service_subnet);
        let has_proxy = networking.kube_proxy_mode != KubeProxyMode::None;
        let values = manifest::Facts {
            pod_subnet: &networking.pod_subnet,
            service_subnet: if has_proxy { service_subnet } else { "" },
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
