//! `kind get kubeconfig`

use kind::Endpoint;

use super::flags::{INTERNAL, NAME};
use crate::args::{ArgRule, Command, Matches};
use crate::context::Context;
use crate::document::Kubeconfig;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    flags: &[INTERNAL, NAME],
    rule: ArgRule::None,
    action: Some(print_kubeconfig),
    ..Command::new("kubeconfig", "Prints cluster kubeconfig")
};

fn print_kubeconfig(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let provider = context.provider(matches)?;
    let cluster = context.cluster_name(matches);
    let kubeconfig = provider.kubeconfig(&cluster, wanted_endpoint(matches))?;
    let given = Kubeconfig {
        cluster,
        kubeconfig,
    };
    // The document ends in a newline of its own; scripts know the second one.
    context
        .ui
        .result(&given, || format!("{}\n", given.kubeconfig));
    Ok(Exit::Success)
}

/// Which address of the API server the user wants.
pub(super) fn wanted_endpoint(matches: &Matches) -> Endpoint {
    if matches.switch("internal") {
        Endpoint::Internal
    } else {
        Endpoint::External
    }
}
