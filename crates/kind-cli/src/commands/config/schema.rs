//! `kind config schema`

use super::arguments::{NEWEST, parse_version};
use crate::args::{ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    flags: &[Flag::text(
        "api-version",
        "the version of the format: v1alpha4 or v1beta1",
    )
    .default(NEWEST)],
    rule: ArgRule::None,
    action: Some(print_schema),
    ..Command::new(
        "schema",
        "Prints the JSON schema of config files, for editors",
    )
};

fn print_schema(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let version = parse_version(matches.filled("api-version").unwrap_or(NEWEST))?;
    // The schema is JSON whatever the output is.
    context.ui.data(&kind::config::json_schema(version));
    Ok(Exit::Success)
}
