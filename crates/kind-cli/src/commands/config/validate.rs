//! `kind config validate`

use super::arguments::required_file;
use crate::args::{ArgRule, Command, Matches};
use crate::config_file;
use crate::context::Context;
use crate::document::ValidConfig;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Checks a config file: its form, its values, its patches and the files that it names. Tells every problem",
    positionals: "FILE",
    rule: ArgRule::AtMost(1),
    action: Some(validate_config),
    ..Command::new("validate", "Checks a config file")
};

fn validate_config(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let source = config_file::read_source(required_file(matches)?)?;
    let ui = &context.ui;
    let cluster = kind::check_config(&source, &|event| ui.event(event))?;
    let valid = ValidConfig {
        file: source.name().to_owned(),
        cluster: cluster.name,
        nodes: cluster.nodes.len(),
    };
    ui.result(&valid, || format!("{} is valid\n", valid.file));
    Ok(Exit::Success)
}
