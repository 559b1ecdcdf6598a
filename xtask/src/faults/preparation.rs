//! What is done to a host, an engine or a node so that it has a fault.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use super::fault::Prepared;
use super::ground::Ground;
use crate::Failure;

/// The port of the host that configurations name.
const PORT: u16 = 34567;

/// Somebody listens on that port.
pub(super) fn port_taken(_: &Ground, command: Command) -> Result<Prepared, Failure> {
    Ok(Prepared {
        command,
        held: Box::new(TcpListener::bind((Ipv4Addr::LOCALHOST, PORT))?),
    })
}
