//! `kind config convert`

use super::arguments::{NEWEST, parse_version, required_file};
use crate::args::{ArgRule, Command, Flag, Matches};
use crate::config_file;
use crate::context::Context;
use crate::document::Config;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Prints a config file as another version of the format has it. Comments and order stay",
    positionals: "FILE",
    flags: &[Flag::text("to", "the version to convert to: v1alpha4 or v1beta1").default(NEWEST)],
    rule: ArgRule::AtMost(1),
    action: Some(convert_config),
    ..Command::new(
        "convert",
        "Prints a config file in another version of the format",
    )
};

fn convert_config(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let source = config_file::read_source(required_file(matches)?)?;
    let to = parse_version(matches.filled("to").unwrap_or(NEWEST))?;
    let text = kind::convert_config(&source, to)?;
    let config = Config {
        version: to.as_str().to_owned(),
        text,
    };
    context.ui.result(&config, || config.text.clone());
    Ok(Exit::Success)
}
