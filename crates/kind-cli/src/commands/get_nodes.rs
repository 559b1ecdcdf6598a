//! `kind get nodes`

use super::flags::NAME;
use crate::args::{ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::document::{Node, NodeList};
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    flags: &[
        Flag::switch(
            "all-clusters",
            "list the nodes of all clusters, whatever --name says",
        )
        .short('A'),
        NAME,
    ],
    rule: ArgRule::None,
    action: Some(print_nodes),
    ..Command::new("nodes", "Lists existing kind nodes by their name")
};

fn print_nodes(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let provider = context.provider(matches)?;
    let cluster = (!matches.switch("all-clusters")).then(|| context.cluster_name(matches));
    let nodes = provider.nodes(cluster.as_deref())?;
    if nodes.is_empty() {
        context.ui.info(&match cluster {
            Some(name) => format!("No kind nodes found for cluster \"{name}\"."),
            None => "No kind nodes for any cluster.".to_owned(),
        });
    }
    let list = NodeList {
        nodes: nodes.into_iter().map(Node::from).collect(),
    };
    let line = |node: &Node| format!("{}\n", node.name);
    context
        .ui
        .result(&list, || list.nodes.iter().map(line).collect());
    Ok(Exit::Success)
}
