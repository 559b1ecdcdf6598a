//! From documents to nodes that run.

use kind_config::tagged_version;
use kind_node::request::StepId;
use kind_secret::redact_document;

use super::boot::boot_nodes;
use super::coordinator::Coordinator;
use super::documents::ClusterDocuments;
use super::parallel;
use super::phases::{PhaseSequence, Phases};
use super::requests::BootstrapRequests;
use crate::Result;
use crate::event::{Detail, Event, Verbosity, Warning};
use crate::node::copy_in;
use crate::plan::Plan;

/// Nodes that take commands, and what they are to be asked.
pub(super) struct Started {
    pub(super) requests: BootstrapRequests,
    /// What is told while they are asked; its first phase has begun.
    pub(super) phase_sequence: PhaseSequence,
}

/// Puts every node's files into it and starts the nodes that do not run yet.
pub(super) fn start_nodes(
    coordinator: &Coordinator<'_>,
    plan: &Plan,
    documents: &ClusterDocuments<'_>,
    phases: &mut Phases<'_>,
) -> Result<Started> {
    write_files(coordinator, plan, documents, phases)?;
    let requests = BootstrapRequests::new(plan, documents, coordinator.wait, phases)?;
    let mut phase_sequence = requests.phase_sequence(plan, coordinator.wait);
    phase_sequence.begin_next(phases);
    if plan.lasting_addresses {
        boot_nodes(coordinator, plan, phases)?;
    }
    Ok(Started {
        requests,
        phase_sequence,
    })
}

fn write_files(
    coordinator: &Coordinator<'_>,
    plan: &Plan,
    documents: &ClusterDocuments<'_>,
    phases: &Phases<'_>,
) -> Result<()> {
    let engine = coordinator.engine();
    for note in documents.notes() {
        phases.send_event(Event::Warning(Warning::Config(note.to_owned())));
    }
    let nodes: Vec<_> = documents.files.iter().collect();
    let written = parallel::run_for_each(&nodes, coordinator.cancel, |(name, files)| {
        let Some(node) = documents.nodes.get(*name) else {
            // The load balancer has its other file.
            return match files.secrets.as_slice() {
                [] => Ok(()),
                secrets => copy_in(engine, name, secrets),
            };
        };
        let networking = &plan.kubernetes.networking;
        let mut warnings = kind_kubeadm::warnings(networking, &node.facts);
        if tagged_version(&node.plan.image).as_ref() != Some(node.facts.version()) {
            // Nothing was said of the version that it has.
            warnings.extend(kind_kubeadm::gate_warnings(&plan.kubernetes, &node.facts));
        }
        for warning in warnings {
            phases.send_event(Event::Warning(Warning::Config(warning)));
        }
        let text = node.documents.text();
        let text = format!(
            "Using the following kubeadm config for node {name}:\n{}",
            redact_document(&text)
        );
        phases.send_detail(Detail::new(Verbosity::Documents, text).of_node(*name));
        phases.run_step(name, StepId::Files, || {
            copy_in(engine, name, &[&files.files[..], &files.secrets].concat())
        })
    });
    written.map(drop)
}
