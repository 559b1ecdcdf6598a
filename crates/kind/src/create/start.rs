//! Booting the nodes and making them a cluster.

use std::collections::VecDeque;
use std::time::Duration;

use kind_config::{AddOn, KubeProxyMode, Role};
use kind_node::request::Request;

use super::attempt::Attempt;
use super::documents::{Draft, document_error};
use super::facts::Facts;
use super::phases::{Sequence, Stage};
use super::way::Way;
use crate::bootstrap::{self, First, Manifests, SHARED_FILES, Share, step};
use crate::event::{Event, Phase, Warning};
use crate::manifest;
use crate::plan::{NodeMap, NodePlan, Plan};
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
    pub(super) fn start(
        &mut self,
        plan: &Plan,
        way: &Way,
        drafts: &NodeMap<Draft<'_>>,
    ) -> Result<String> {
        let script = self.script(plan, way, drafts)?;
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
    fn script(&self, plan: &Plan, way: &Way, drafts: &NodeMap<Draft<'_>>) -> Result<Script> {
        let first = drafts
            .get(&plan.bootstrap)
            .ok_or_else(|| Error::NoControlPlane(plan.cluster.clone()))?;
        let manifests = self.manifests(plan, first)?;
        let nodes = plan.kubernetes_nodes().into_iter();
        let shares = nodes.map(|node| Share {
            node: &node.plan.name,
            pod_cidrs: &node.plan.pod_cidrs,
        });
        let shares: Vec<_> = shares.collect();
        let copies = !way.is_prepared() && way.control_planes.len() > 1;
        let init = First {
            cluster: &plan.kubernetes,
            node: first.settings,
            facts: &first.facts,
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
        let writes_cni = kindnet && !plan.kubernetes.networking.disable_default_cni;
        let (beside, groups) = of_others(way, drafts, writes_cni);
        let version = first.facts.kubernetes_version();
        let ready = |limit| bootstrap::ready(version, limit).map_err(document_error);
        let mut ready = self.options.wait.map(ready).transpose()?;
        if way.control_planes.len() == 1 {
            // The only control plane need not wait for workers.
            init.steps.extend(ready.take());
        }
        Ok(Script {
            first: first.plan.name.clone(),
            version: first.image.version.clone(),
            balancer: plan.balancer().map(|balancer| balancer.name.clone()),
            init,
            beside,
            groups,
            ready: ready.map(|step| Request { steps: vec![step] }),
        })
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
            let nodes = nodes.iter().map(|node| node.plan).filter(|node| {
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

    fn manifests(&self, plan: &Plan, first: &Draft<'_>) -> Result<Manifests> {
        let facts = &first.image;
        let networking = &plan.kubernetes.networking;
        // The user's patches have the last word.
        let service_subnet = first.documents.service_subnet();
        let service_subnet = service_subnet.unwrap_or(&networking.service_subnet);
        let dns_service_ip = dns_service_ip(service_subnet);
        let has_proxy = networking.kube_proxy_mode != KubeProxyMode::None;
        let values = manifest::Facts {
            pod_subnet: &networking.pod_subnet,
            service_subnet: if has_proxy { service_subnet } else { "" },
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
            let filled = manifest::fill(text, &values)?;
            self.phases
                .detail(5, format!("Using the following CNI manifest:\n{filled}"));
            manifests.cni = Some(filled);
        } else if let Some(text) = &facts.services {
            manifests.services = Some(manifest::fill(text, &values)?);
        }
        let add_ons = &plan.kubernetes.add_ons;
        if let Some(text) = facts.dns.as_ref().filter(|_| add_ons.dns != AddOn::None) {
            manifests.dns = Some(manifest::fill(text, &values)?);
        }
        if add_ons.storage != AddOn::None {
            manifests.storage = Some(manifest::fill(&self.storage(facts), &values)?);
        }
        manifests.of_user.clone_from(&plan.manifests);
        Ok(manifests)
    }

    fn storage(&self, facts: &Facts) -> String {
        facts.storage.clone().unwrap_or_else(|| {
            self.phases.tell(Event::Warning(Warning::NoStorageManifest));
            OLD_STORAGE.to_owned()
        })
    }
}

/// The requests of all nodes but the first: beside it, and once it serves.
fn of_others(
    way: &Way,
    drafts: &NodeMap<Draft<'_>>,
    writes_cni: bool,
) -> (Requests, VecDeque<Requests>) {
    let others: Vec<_> = drafts
        .values()
        .filter(|draft| !way.is_first(&draft.plan.name))
        .collect();
    let (control_planes, workers): (Vec<_>, Vec<_>) = others
        .iter()
        .partition(|draft| draft.settings.role == Role::ControlPlane);
    let name = |draft: &Draft<'_>| draft.plan.name.clone();
    if way.at_once {
        let start = |draft: &&Draft<'_>| {
            let socket = draft.documents.cri_socket();
            let role = &draft.settings.role;
            let request = bootstrap::start(&draft.facts, role, socket, writes_cni);
            (name(draft), request)
        };
        let mark = |draft: &&Draft<'_>| (name(draft), bootstrap::mark(&draft.facts));
        let marks = control_planes.iter().map(mark).collect();
        return (others.iter().map(start).collect(), [marks].into());
    }
    let join = |draft: &&Draft<'_>| {
        let own_kubelet = way.has_own_kubelet(&draft.plan.name);
        let request = bootstrap::join(&draft.facts, own_kubelet, writes_cni);
        (name(draft), request)
    };
    let mut groups: VecDeque<_> = control_planes.iter().map(|node| vec![join(node)]).collect();
    groups.push_back(workers.iter().map(join).collect());
    (Vec::new(), groups)
}
