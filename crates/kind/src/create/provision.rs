//! From a plan to nodes that exist, and what is known of them then.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use kind_engine::{Error as EngineError, Info};
use kind_kubeadm::containerd;
use kind_node::request::StepId;

use super::balancer::load_balancer_file;
use super::boot::boot_nodes;
use super::coordinator::Coordinator;
use super::image_facts::ImageFacts;
use super::parallel;
use super::phases::Phases;
use crate::event::{Event, Phase, Warning};
use crate::node::{copy_in, read_file};
use crate::plan::{NodeMap, NodePlan, Plan};
use crate::{Code, Error, Result};

/// Nodes that exist, or that a dry run supposes: what their documents are made from beside the plan.
#[derive(Debug)]
pub(crate) struct Provisioned<'a> {
    /// Name of the engine, as it stands in nodes' `provider-id`.
    pub(crate) engine: &'a str,
    /// What the engine says of the host.
    pub(crate) host: &'a Info,
    /// What is known of every node that runs Kubernetes.
    pub(crate) nodes: NodeMap<ProvisionedNode>,
}

/// What is known of a node that exists.
#[derive(Debug)]
pub(crate) struct ProvisionedNode {
    /// IPv4 address on the cluster's network.
    pub(crate) ipv4: Option<Ipv4Addr>,
    /// IPv6 address there.
    pub(crate) ipv6: Option<Ipv6Addr>,
    /// What its image says.
    pub(crate) image: ImageFacts,
    /// Its configuration of containerd as it came, where the user changes that and it is known.
    pub(crate) containerd: Option<String>,
}

/// Makes all nodes and looks at them. Those that have addresses only while they run are started.
pub(super) fn provision_nodes<'a>(
    coordinator: &Coordinator<'a>,
    plan: &Plan,
    phases: &mut Phases<'_>,
) -> Result<Provisioned<'a>> {
    create_nodes(coordinator, plan, phases)?;
    if !plan.lasting_addresses {
        // Their addresses stand in their documents.
        boot_nodes(coordinator, plan, phases)?;
    }
    if let Some(balancer) = plan.balancer() {
        phases.begin_phase(Phase::LoadBalancer);
        let file = load_balancer_file(plan);
        copy_in(coordinator.engine(), &balancer.name, &[file])?;
    }
    phases.begin_phase(Phase::WriteConfiguration);
    Ok(Provisioned {
        engine: coordinator.engine().name(),
        host: coordinator.host,
        nodes: inspect_nodes(coordinator, plan, phases)?,
    })
}

fn create_nodes(coordinator: &Coordinator<'_>, plan: &Plan, phases: &Phases<'_>) -> Result<()> {
    let agent = coordinator.provider.agent()?;
    coordinator.for_each(&plan.nodes, |node| {
        phases.run_step(&node.name, StepId::Create, || {
            let created = coordinator.engine().create(&node.node_spec(plan, agent));
            // What a failing engine leaves behind is ours, unless it was there before.
            if !matches!(&created, Err(EngineError::NodeExists(_))) {
                coordinator.note_made(&node.name);
            }
            let action = format!("failed to create node {:?}", node.name);
            created.map_err(Error::engine(Code::NodeCreate, action))
        })
    })?;
    coordinator.check_cancelled()
}

fn inspect_nodes(
    coordinator: &Coordinator<'_>,
    plan: &Plan,
    phases: &Phases<'_>,
) -> Result<NodeMap<ProvisionedNode>> {
    let engine = coordinator.engine();
    let listed = engine.list(Some(&plan.cluster));
    let listed = listed.map_err(Error::engine(Code::NodeList, "failed to list nodes"))?;
    let images = read_images(coordinator, plan, phases)?;
    let nodes = plan.kubernetes_nodes();
    let inspected = parallel::run_for_each(&nodes, coordinator.cancel, |node| {
        let NodePlan { name, image, .. } = node.plan;
        let facts = match images.get(image.as_str()) {
            Some(facts) if node.plan.host.mounts.is_empty() => facts.clone(),
            // A mount may hide what the image says.
            _ => ImageFacts::read_from_node(engine, name, image)?,
        };
        let containerd = plan.kubernetes.containerd.has_patches();
        let containerd = containerd.then(|| read_file(engine, name, containerd::CONFIG_PATH));
        let made = listed.iter().find(|made| made.name == *name);
        let known = ProvisionedNode {
            ipv4: made.and_then(|made| made.ipv4),
            ipv6: made.and_then(|made| made.ipv6),
            image: facts,
            containerd: containerd.transpose()?,
        };
        Ok((name.clone(), known))
    })?;
    Ok(inspected.into_iter().collect())
}

/// Reads what each image says once, from any of its nodes.
fn read_images<'p>(
    coordinator: &Coordinator<'_>,
    plan: &'p Plan,
    phases: &Phases<'_>,
) -> Result<BTreeMap<&'p str, ImageFacts>> {
    let nodes = plan.kubernetes_nodes().into_iter();
    let mut nodes: Vec<_> = nodes.map(|node| node.plan).collect();
    nodes.retain(|node| node.host.mounts.is_empty());
    nodes.sort_by_key(|node| &node.image);
    nodes.dedup_by_key(|node| &node.image);
    let facts = parallel::run_for_each(&nodes, coordinator.cancel, |node| {
        let facts = ImageFacts::read_from_node(coordinator.engine(), &node.name, &node.image)?;
        Ok((node.image.as_str(), facts))
    })?;
    for text in facts.iter().flat_map(|(_, facts)| facts.shortcomings()) {
        phases.send_event(Event::Warning(Warning::Image(text)));
    }
    Ok(facts.into_iter().collect())
}
