//! Starting nodes.

use std::time::Duration;

use kind_engine::Engine;
use kind_node::request::StepId;

use super::coordinator::Coordinator;
use super::phases::Phases;
use crate::plan::{NodePlan, Plan};
use crate::{Code, Error, Result};

/// How long a node may take until commands can run in it.
const BOOT_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts the nodes, and waits until they take commands.
pub(super) fn boot_nodes(
    coordinator: &Coordinator<'_>,
    plan: &Plan,
    phases: &Phases<'_>,
) -> Result<()> {
    coordinator.for_each(&plan.nodes, |node| {
        let boot = || boot_node(coordinator.engine(), node);
        phases.run_step(&node.name, StepId::Boot, boot)
    })
}

fn boot_node(engine: &dyn Engine, node: &NodePlan) -> Result<()> {
    let failed =
        |attempt, action: &str| Error::engine(attempt, format!("{action} node {:?}", node.name));
    engine
        .start(&node.name)
        .map_err(failed(Code::NodeStart, "failed to start"))?;
    if node.is_balancer() {
        return Ok(());
    }
    let booted = engine.wait_until_booted(&node.name, BOOT_TIMEOUT);
    booted.map_err(failed(Code::NodeBoot, "failed to boot"))
}
