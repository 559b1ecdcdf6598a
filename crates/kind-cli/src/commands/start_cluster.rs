//! `kind start cluster`

use kind::StartCluster;

use super::flags::NAME;
use crate::args::{ArgRule, Command, Flag, Kind, Matches};
use crate::context::Context;
use crate::document::StartedCluster;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    flags: &[
        Flag {
            help: "the cluster name",
            ..NAME
        },
        Flag::new(
            "wait",
            Kind::Duration,
            "the length of time to wait for control plane node to be ready (default 0s). \
             Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h).",
        ),
    ],
    rule: ArgRule::None,
    action: Some(run),
    ..Command::new("cluster", "Starts a cluster that was stopped")
};

const ABOUT: &str = "Starts the nodes of a kind cluster that do not run.

They may have been stopped by `kind stop cluster`, or by a restart of the host. Nodes that run are left
alone.";

fn run(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let name = context.cluster_name(matches);
    let provider = context.provider(matches)?;
    context.ui.info(&format!("Starting cluster \"{name}\" ..."));
    let mut options = StartCluster::new(&name).cancel(context.interruptible());
    if let Some(limit) = matches.wait_flag("wait") {
        options = options.wait(limit);
    }
    let nodes = provider
        .start(&options, &|event| context.ui.event(event))
        .map_err(Failure::during(format!(
            "failed to start cluster \"{name}\""
        )))?;
    context
        .ui
        .result(&StartedCluster { name, nodes }, String::new);
    Ok(Exit::Success)
}
