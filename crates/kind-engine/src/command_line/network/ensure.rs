//! The network there: found, or made.

use super::answer::InspectedNetwork;
use super::find::find_network;
use super::{create, duplicates};
use crate::command_line::Flavor;
use crate::command_line::program::Program;
use crate::{Code, Error};

/// Makes the network unless it exists. Whoever else makes it at the same time, one remains.
pub(in crate::command_line) fn ensure_network(
    flavor: Flavor,
    program: &Program,
    name: &str,
) -> Result<InspectedNetwork, Error> {
    if let Some(known) = find_network(flavor, program, name)? {
        return Ok(known);
    }
    create::create_network(flavor, program, name)?;
    if flavor == Flavor::Docker {
        duplicates::remove_duplicates(program, name)?;
    }
    find_network(flavor, program, name)?.ok_or_else(|| {
        Error::other(
            Code::NetworkGone,
            format!("network {name:?} was made and is gone again"),
            "look for a program that removes networks, and try again",
        )
    })
}
