//! `kind stop cluster`

use super::flags::NAME;
use crate::args::{ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::document::StoppedCluster;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    flags: &[Flag {
        help: "the cluster name",
        ..NAME
    }],
    rule: ArgRule::None,
    action: Some(stop_cluster),
    ..Command::new("cluster", "Stops a cluster")
};

const ABOUT: &str = "Stops the nodes of a kind cluster.

Everything that the cluster holds stays. `kind start cluster` starts it again.";

fn stop_cluster(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let name = context.cluster_name(matches);
    let provider = context.provider(matches)?;
    context.ui.info(&format!("Stopping cluster \"{name}\" ..."));
    let nodes = provider
        .stop(&name, &context.interruptible())
        .map_err(Failure::during(format!(
            "failed to stop cluster \"{name}\""
        )))?;
    context
        .ui
        .result(&StoppedCluster { name, nodes }, String::new);
    Ok(Exit::Success)
}
