//! Looking for the network.

use super::answer::{self, InspectedNetwork};
use super::duplicates;
use crate::command_line::program::Program;
use crate::command_line::{FailureReason, Flavor, listing};
use crate::{Code, Error};

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

/// The network of that name, which was just made.
pub(super) fn find_made_network(
    flavor: Flavor,
    program: &Program,
    name: &str,
) -> Result<InspectedNetwork, Error> {
    match inspect_network(program, name) {
        Ok(text) => answer::read(flavor, name, &text)?.ok_or_else(|| {
            let said = format!(
                "of network {name:?}, which was just made, it says {:?}",
                text.trim()
            );
            answer::unreadable(flavor, said)
        }),
        Err(Error::Program {
            failure_reason: FailureReason::Unknown,
            ..
        }) => Err(Error::other(
            Code::NetworkGone,
            format!("network {name:?} was made and is gone again"),
            "look for a program that removes networks, and try again",
        )),
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

/// Whether a network was not made because there is one of its name.
pub(super) fn says_taken(error: &Error) -> bool {
    error_says(error, "already exists") || error_says(error, "already used by")
}

/// Whether no container is on a network, as far as can be told. Those that do not run count: they would not start again
/// without it.
pub(super) fn is_unused(flavor: Flavor, program: &Program, name: &str) -> bool {
    let filter = format!("network={name}");
    let used = listing::list_containers(flavor, program, &filter);
    used.is_ok_and(|containers| containers.is_empty())
}
