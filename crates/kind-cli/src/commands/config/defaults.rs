//! `kind config defaults`

use kind::config::{ApiVersion, Source};

use super::arguments::{config_file, parse_version};
use crate::args::{ArgRule, Command, Flag, Matches};
use crate::config_file;
use crate::context::Context;
use crate::document::Config;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Prints a config file with everything that it leaves to kind, or what holds without one",
    positionals: "[FILE]",
    flags: &[Flag::text(
        "to",
        "the version to print: v1alpha4 or v1beta1 (default the file's own)",
    )],
    rule: ArgRule::AtMost(1),
    action: Some(print_defaults),
    ..Command::new(
        "defaults",
        "Prints a config file with all defaults filled in",
    )
};

fn print_defaults(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let source = match config_file(matches) {
        Some(path) => config_file::read_source(path)?,
        None => {
            let version = ApiVersion::V1beta1.as_str();
            Source::new(
                "defaults",
                format!("kind: Cluster\napiVersion: {version}\n"),
            )
        }
    };
    let to = matches.filled("to").map(parse_version).transpose()?;
    let (version, text) = kind::complete_config(&source, to)?;
    let config = Config {
        version: version.as_str().to_owned(),
        text,
    };
    context.ui.result(&config, || config.text.clone());
    Ok(Exit::Success)
}
