//! Starting nodes.

use std::time::Duration;

use kind_diagnosis::{Check, Component, Severity, examine_exit};
use kind_engine::{Boot, Engine};
use kind_node::request::StepId;

use super::coordinator::Coordinator;
use super::phases::Phases;
use crate::error::FailedStep;
use crate::node::LimitedOutput;
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
    let booted = engine.wait_until_booted(&node.name, Boot::First, BOOT_TIMEOUT);
    booted.map_err(|error| {
        let failed = failed(Code::NodeBoot, "failed to boot");
        let mut console = LimitedOutput::default();
        match engine.logs(&node.name, false, &mut console) {
            // A node ends with its engine, and looks like one that did not get up.
            Err(gone) if is_gone(&gone) => failed(gone),
            _ => match find_cause(&String::from_utf8_lossy(&console.0)) {
                Some(cause) => tell_cause(&node.name, cause),
                None => failed(error),
            },
        }
    })
}

/// Whether it is the engine that fails, and not a node.
fn is_gone(error: &kind_engine::Error) -> bool {
    use kind_engine::Code;
    matches!(error.code(), Code::NoDaemon | Code::NoAnswer)
}

/// Why the first program of a node ended, if its last words are known.
fn find_cause(console: &str) -> Option<Check> {
    let mut check = examine_exit(Component::new("entrypoint"), "console", console)?;
    check.severity = Severity::Error;
    check.is_known().then_some(check)
}

fn tell_cause(node: &str, cause: Check) -> Error {
    FailedStep {
        node: node.to_owned(),
        action: format!("failed to boot node {node:?}"),
        reason: cause.to_string(),
        output: String::new(),
        causes: vec![cause],
    }
    .into_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_another_machine_is_told_from_one_that_is_slow() {
        let of_shell =
            find_cause("/usr/local/bin/entrypoint: 1: \u{7f}ELF\u{2}\u{1}: not found\r\n");
        assert_eq!(of_shell.unwrap().id, "other-machine");
        let cause = find_cause("exec /usr/local/bin/entrypoint: exec format error\r\n").unwrap();
        assert_eq!(cause.id, "other-machine");
        let error = tell_cause("a", cause).to_string();
        assert!(
            error.starts_with("failed to boot node \"a\": entrypoint: its program is for machines"),
            "{error}"
        );
        assert_eq!(find_cause("Starting systemd\nWelcome\n"), None);
    }
}
