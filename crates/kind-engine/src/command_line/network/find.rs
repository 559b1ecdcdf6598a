//! Looking for the network.

use super::answer::{self, InspectedNetwork};
use super::duplicates;
use crate::Error;
use crate::command_line::program::Program;
use crate::command_line::{FailureReason, Flavor};

/// The network of that name.
pub(super) fn find_network(
    flavor: Flavor,
    program: &Program,
    name: &str,
) -> Result<Option<InspectedNetwork>, Error> {
    match inspect_network(program, name) {
        Ok(text) => answer::read(flavor, name, &text),
        Err(error) if error_says(&error, "ambiguous") => {
            duplicates::remove_duplicates(program, name)?;
            let text = inspect_network(program, name)?;
            answer::read(flavor, name, &text)
        }
        Err(Error::Program {
            failure_reason: FailureReason::Unknown,
            ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn inspect_network(program: &Program, name: &str) -> Result<String, Error> {
    program.command_output(&["network", "inspect", name])
}

/// Whether the failed program's output has these words.
pub(super) fn error_says(error: &Error, words: &str) -> bool {
    error.output().is_some_and(|output| output.contains(words))
}
