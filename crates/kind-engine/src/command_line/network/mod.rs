//! The network that nodes share. One that is there is used as it is; of several with its name, which docker
//! allows, one is kept.

pub(super) mod answer;
mod create;
mod duplicates;

use super::program::Program;
use super::{Flavor, Trouble};
use crate::{Error, Network};

pub(super) use answer::Subnets;

/// A network with what is known of its addresses.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) network: Network,
    pub(super) subnets: Subnets,
}

/// Makes the network unless it exists. Whoever else makes it at the same time, one remains.
pub(super) fn ensure(flavor: Flavor, program: &Program, name: &str) -> Result<Known, Error> {
    if let Some(known) = find(flavor, program, name)? {
        return Ok(known);
    }
    create::create(flavor, program, name)?;
    if flavor == Flavor::Docker {
        duplicates::remove(program, name)?;
    }
    find(flavor, program, name)?.ok_or_else(|| {
        Error::other(
            "ENG-NETWORK-GONE",
            format!("network {name:?} was made and is gone again"),
            "look for a program that removes networks, and try again",
        )
    })
}

/// The network of that name.
fn find(flavor: Flavor, program: &Program, name: &str) -> Result<Option<Known>, Error> {
    match inspect(program, name) {
        Ok(text) => answer::read(flavor, name, &text),
        Err(error) if says(&error, "ambiguous") => {
            duplicates::remove(program, name)?;
            let text = inspect(program, name)?;
            answer::read(flavor, name, &text)
        }
        Err(Error::Program {
            trouble: Trouble::Unknown,
            ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn inspect(program: &Program, name: &str) -> Result<String, Error> {
    program.output(&["network", "inspect", name])
}

/// Whether the failed program's output has these words.
fn says(error: &Error, words: &str) -> bool {
    error.output().is_some_and(|output| output.contains(words))
}

#[cfg(test)]
mod tests;
