//! `kind delete cluster`

use super::flags::{KUBECONFIG, NAME};
use crate::args::{ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::document::DeletedCluster;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    flags: &[
        KUBECONFIG,
        Flag {
            help: "the cluster name",
            ..NAME
        },
    ],
    rule: ArgRule::None,
    action: Some(delete_cluster),
    ..Command::new("cluster", "Deletes a cluster")
};

const ABOUT: &str = "Deletes a kind cluster from the system.

Deleting may be repeated: a cluster that is already gone counts as deleted. Only what exists and
cannot be removed is an error.";

fn delete_cluster(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let name = context.cluster_name(matches);
    let files = context.known_kubeconfig_files(matches);
    let provider = context.provider(matches)?;
    context.ui.info(&format!("Deleting cluster \"{name}\" ..."));
    provider
        .delete(&name, files.as_ref(), &context.interruptible(), &|event| {
            context.ui.event(event);
        })
        .map_err(Failure::during(format!(
            "failed to delete cluster \"{name}\""
        )))?;
    context.ui.result(&DeletedCluster { name }, String::new);
    Ok(Exit::Success)
}
