//! `kind get clusters`

use crate::args::{ArgRule, Command, Matches};
use crate::context::Context;
use crate::document::{Cluster, ClusterList};
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    rule: ArgRule::None,
    action: Some(print_clusters),
    ..Command::new("clusters", "Lists existing kind clusters by their name")
};

fn print_clusters(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let clusters = context.provider(matches)?.clusters()?;
    if clusters.is_empty() {
        context.ui.info("No kind clusters found.");
    }
    let lines = || clusters.iter().map(|name| format!("{name}\n")).collect();
    let named = |name: &String| Cluster { name: name.clone() };
    let list = ClusterList {
        clusters: clusters.iter().map(named).collect(),
    };
    context.ui.result(&list, lines);
    Ok(Exit::Success)
}
