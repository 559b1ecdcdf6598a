//! `kind config`: work on config files.

mod convert;
mod defaults;
mod schema;
mod validate;

use kind::config::ApiVersion;

use crate::args::{ArgRule, Command, Matches, UsageError};
use crate::exit::Failure;

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Works on config files without making anything",
    rule: ArgRule::None,
    children: &[
        &convert::COMMAND,
        &defaults::COMMAND,
        &schema::COMMAND,
        &validate::COMMAND,
    ],
    ..Command::new(
        "config",
        "Works on config files: one of [convert, defaults, schema, validate]",
    )
};

/// The version that commands take where the user names none.
const NEWEST: &str = "v1beta1";

/// The file that is worked on.
fn file(matches: &Matches) -> Option<&str> {
    matches.positionals.first().map(String::as_str)
}

/// The file that is worked on, where there must be one.
fn required_file(matches: &Matches) -> Result<&str, Failure> {
    let missing = || UsageError("the path of a config file is required, or - for stdin".to_owned());
    Ok(file(matches).ok_or_else(missing)?)
}

/// A version of the format, as flags name it.
fn version(word: &str) -> Result<ApiVersion, Failure> {
    word.parse().map_err(|error| {
        let known: Vec<_> = ApiVersion::ALL.iter().map(|v| v.short()).collect();
        Failure::Message(format!("{error}, known are: {}", known.join(", ")))
    })
}
