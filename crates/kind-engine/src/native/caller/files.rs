//! Files in and out of a node, whether it runs or not, as tar streams, from the caller's side: a helper reads or
//! writes them.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Stdio;

use kind_sys::process;

use crate::Error;
use crate::native::call::{Helper, Task};
use crate::native::state::State;

/// Unpacks a tar stream below a directory of a node.
pub(super) fn copy_in(
    program: &Path,
    state: &State,
    node: &str,
    directory: &Path,
    tar: &mut (dyn Read + Send),
) -> Result<(), Error> {
    let directory = directory.to_owned();
    let mut helper = Helper::new(program, state, node, Task::Unpack { directory })?;
    helper.command.stdin(Stdio::piped()).stdout(Stdio::null());
    process::die_with_parent(&mut helper.command);
    let mut child = helper
        .command
        .spawn()
        .map_err(Error::io("start a helper process"))?;
    let sent = match child.stdin.take() {
        Some(mut stdin) => io::copy(tar, &mut stdin).map(drop),
        None => Ok(()),
    };
    let status = child
        .wait()
        .map_err(Error::io("wait for a helper process"))?;
    // A helper that failed has closed the stream: its reason comes first.
    helper.check_exit(status.code())?;
    sent.map_err(Error::io(format!("send files to node {node}")))
}

/// Packs a path of a node.
pub(super) fn copy_out(
    program: &Path,
    state: &State,
    node: &str,
    path: &Path,
    tar: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let path = path.to_owned();
    let mut helper = Helper::new(program, state, node, Task::Pack { path })?;
    helper.command.stdin(Stdio::null()).stdout(Stdio::piped());
    process::die_with_parent(&mut helper.command);
    let mut child = helper
        .command
        .spawn()
        .map_err(Error::io("start a helper process"))?;
    let received = match child.stdout.take() {
        Some(mut stdout) => io::copy(&mut stdout, tar).map(drop),
        None => Ok(()),
    };
    let status = child
        .wait()
        .map_err(Error::io("wait for a helper process"))?;
    helper.check_exit(status.code())?;
    received.map_err(Error::io(format!("receive files from node {node}")))
}
