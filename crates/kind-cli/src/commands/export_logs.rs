//! `kind export logs`

use std::path::PathBuf;

use super::flags::NAME;
use super::version;
use crate::args::{ArgRule, Command, Matches};
use crate::context::Context;
use crate::document::ExportedLogs;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    positionals: "[output-dir]",
    flags: &[NAME],
    rule: ArgRule::AtMost(1),
    action: Some(export_logs),
    ..Command::new(
        "logs",
        "Exports logs to a tempdir or [output-dir] if specified",
    )
};

fn export_logs(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let provider = context.provider(matches)?;
    let name = context.cluster_name(matches);
    if provider.nodes(Some(&name))?.is_empty() {
        return Err(kind::Error::NoSuchCluster(name).into());
    }
    let directory = match matches.positionals.first() {
        Some(directory) => PathBuf::from(directory),
        None => provider.new_log_directory(&name)?,
    };
    context
        .ui
        .info(&format!("Exporting logs for cluster \"{name}\" to:"));
    let exported = ExportedLogs {
        cluster: name.clone(),
        directory: directory.display().to_string(),
    };
    // Told before the work: who collects logs of failures wants what is there, come what may.
    context
        .ui
        .result(&exported, || format!("{}\n", exported.directory));
    let cancel = context.interruptible();
    let collected = provider.collect_logs(&name, &directory, &version::version_line(), &cancel);
    if cancel.is_cancelled() {
        context.ui.warn(&format!(
            "The logs in {} are incomplete",
            exported.directory
        ));
    }
    collected?;
    Ok(Exit::Success)
}
