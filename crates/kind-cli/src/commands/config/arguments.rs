//! What commands on config files are told.

use kind::config::ApiVersion;

use crate::args::{Matches, UsageError};
use crate::exit::Failure;

/// The version that commands take where the user names none.
pub(super) const NEWEST: &str = "v1beta1";

/// The file that is worked on.
pub(super) fn config_file(matches: &Matches) -> Option<&str> {
    matches.positionals.first().map(String::as_str)
}

/// The file that is worked on, where there must be one.
pub(super) fn required_file(matches: &Matches) -> Result<&str, Failure> {
    let missing = || UsageError("the path of a config file is required, or - for stdin".to_owned());
    Ok(config_file(matches).ok_or_else(missing)?)
}

/// A version of the format, as flags name it.
pub(super) fn parse_version(word: &str) -> Result<ApiVersion, Failure> {
    word.parse().map_err(|error| {
        let known: Vec<_> = ApiVersion::ALL.iter().map(|v| v.short()).collect();
        Failure::Message(format!("{error}, known are: {}", known.join(", ")))
    })
}
