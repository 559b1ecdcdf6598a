//! The daemon firewalld, whose own table refuses what none of its zones lets through.

use std::io;
use std::process::{Output, Stdio};

use crate::{Error, host_program};

/// Name of the table, of family `inet`, by which the daemon is known to run.
pub(super) const TABLE: &str = "firewalld";
const PROGRAM: &str = "firewall-cmd";
/// What comes from links of this zone is accepted, and replies always are.
const ZONE: &str = "--zone=trusted";

/// Puts the bridge into the trusted zone until the daemon ends.
pub(super) fn grant_in_firewalld(bridge: &str) -> Result<(), Error> {
    match call_firewalld(&format!("--change-interface={bridge}"))? {
        Some(output) if !output.status.success() => {
            let message = String::from_utf8_lossy(&output.stderr);
            Err(failed(message.trim()))
        }
        _ => Ok(()),
    }
}

/// Takes the bridge out of the zone. The daemon fails if it is not there, or not any more.
pub(super) fn revoke_in_firewalld(bridge: &str) -> Result<(), Error> {
    call_firewalld(&format!("--remove-interface={bridge}")).map(drop)
}

/// None without the program.
fn call_firewalld(change: &str) -> Result<Option<Output>, Error> {
    let command = &mut host_program(PROGRAM);
    let command = command.args([ZONE, change]).stdin(Stdio::null());
    match command.output() {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&error.to_string())),
    }
}

fn failed(message: &str) -> Error {
    Error::Firewall {
        program: PROGRAM.to_owned(),
        message: message.replace('\n', "; "),
    }
}
