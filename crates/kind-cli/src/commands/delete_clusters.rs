//! `kind delete clusters`

use super::flags::KUBECONFIG;
use crate::args::{Command, Flag, Matches, UsageError};
use crate::context::Context;
use crate::document::{DeletedClusters, FailedCluster};
use crate::exit::{Exit, Failure};
use crate::ui::quoted_list;

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    flags: &[
        Flag::switch("all", "delete all clusters").short('A'),
        KUBECONFIG,
    ],
    action: Some(delete_clusters),
    ..Command::new("clusters", "Deletes one or more clusters")
};

const ABOUT: &str = "Deletes one or more kind clusters from the system.

Deleting may be repeated: a cluster that is already gone counts as deleted. A cluster that cannot
be deleted is reported, and the others are deleted all the same.";

fn delete_clusters(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let all = matches.switch("all");
    if !all && matches.positionals.is_empty() {
        return Err(UsageError("no cluster names provided".to_owned()).into());
    }
    let files = context.known_kubeconfig_files(matches);
    let provider = context.provider(matches)?;
    let names = if all {
        provider.clusters()?
    } else {
        matches.positionals.clone()
    };
    let cancel = context.interruptible();
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for name in names {
        match provider.delete(&name, files.as_ref(), &cancel, &|event| {
            context.ui.event(event)
        }) {
            Ok(()) => deleted.push(name),
            Err(error) if error.is_cancelled() => return Err(error.into()),
            Err(error) => {
                let reason = kind::error_chain(&error);
                context
                    .ui
                    .warn(&format!("failed to delete cluster \"{name}\": {reason}"));
                failed.push(FailedCluster { name, reason });
            }
        }
    }
    context
        .ui
        .info(&format!("Deleted clusters: {}", quoted_list(&deleted)));
    context
        .ui
        .result(&DeletedClusters { deleted, failed }, String::new);
    Ok(Exit::Success)
}
