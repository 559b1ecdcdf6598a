//! `kind export kubeconfig`

use super::flags::{INTERNAL, KUBECONFIG, NAME};
use super::get_kubeconfig::wanted_endpoint;
use crate::args::{ArgRule, Command, Matches};
use crate::context::Context;
use crate::document::ExportedKubeconfig;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    flags: &[INTERNAL, KUBECONFIG, NAME],
    rule: ArgRule::None,
    action: Some(export_kubeconfig),
    ..Command::new("kubeconfig", "Exports cluster kubeconfig")
};

fn export_kubeconfig(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let files = context.kubeconfig_files(matches)?;
    let provider = context.provider(matches)?;
    let name = context.cluster_name(matches);
    let cancel = context.interruptible();
    provider.export_kubeconfig(&name, wanted_endpoint(matches), &files, &cancel, &|event| {
        context.ui.event(event)
    })?;
    let exported = ExportedKubeconfig {
        context: kind::context_name(&name),
        cluster: name,
    };
    context.ui.result(&exported, String::new);
    Ok(Exit::Success)
}
