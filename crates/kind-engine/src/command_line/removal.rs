//! Removing nodes, with everything that belongs to them.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::program::Program;
use super::version::Version;
use super::{Flavor, listing};
use crate::{Code, Error, Info};

/// From this podman on, a removal can be told not to ask the container first.
const REMOVES_AT_ONCE: Version = Version(4, 0, 0);
/// How often nodes are removed whose processes the kernel takes long to end.
const MAX_ATTEMPTS: usize = 3;
/// What podman and docker say of them: they wait a few seconds for hundreds of processes on a busy host.
const DIES_SLOWLY: [&str; 2] = [
    "did not die within timeout",
    "tried to kill container, but did not receive an exit event",
];
/// What docker says of a container that another command removes, which it does not wait for.
const REMOVED_BY_OTHERS: &str = "is already in progress";
/// How long another command may take for its removal.
const REMOVAL_BY_OTHERS: Duration = Duration::from_secs(60);
/// How often is looked whether it is done.
const POLL: Duration = Duration::from_millis(100);

const REMOVE: [&str; 3] = ["rm", "-f", "-v"];

/// Removes a container that was never started, and nothing that it was given.
pub(super) fn remove_created(program: &Program, node: &str) -> Result<(), Error> {
    force_remove(program, &REMOVE, &[node])
}

/// Removes nodes that may or may not exist.
pub(super) fn remove_nodes(
    flavor: Flavor,
    program: &Program,
    info: impl FnOnce() -> Result<Info, Error>,
    nodes: &[String],
) -> Result<(), Error> {
    if nodes.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = nodes.iter().map(String::as_str).collect();
    match flavor {
        Flavor::Docker => force_remove(program, &REMOVE, &names),
        Flavor::Podman => {
            let version = info().ok().and_then(|info| Version::parse(&info.version));
            let at_once = version.is_some_and(|version| version >= REMOVES_AT_ONCE);
            let options: &[&str] = if at_once {
                &["rm", "-f", "-v", "--time=0"]
            } else {
                &REMOVE
            };
            let failures = [
                force_remove(program, options, &names),
                remove_volumes(program, &names),
            ];
            Error::join_failures(failures.into_iter().filter_map(Result::err).collect())
        }
        Flavor::Nerdctl => one_after_the_other(program, &names),
    }
}

/// Removes containers by force, again while others remove them too or the kernel ends them slowly.
fn force_remove(program: &Program, options: &[&str], names: &[&str]) -> Result<(), Error> {
    let arguments = [options, names].concat();
    let deadline = Instant::now() + REMOVAL_BY_OTHERS;
    let mut slow = 0;
    loop {
        let output = program.run_command(&arguments)?;
        if output.status.success() || listing::is_gone(&output.stderr) {
            return Ok(());
        }
        if others_remove(&output.stderr) && Instant::now() < deadline {
            thread::sleep(POLL);
            continue;
        }
        slow += 1;
        if slow == MAX_ATTEMPTS || !dies_slowly(&output.stderr) {
            return Err(program.failure(&arguments, &output));
        }
    }
}

fn dies_slowly(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr);
    DIES_SLOWLY.iter().any(|words| text.contains(words))
}

/// Whether another command removes one of the containers at this moment.
fn others_remove(stderr: &[u8]) -> bool {
    String::from_utf8_lossy(stderr).contains(REMOVED_BY_OTHERS)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    name: String,
    labels: Option<BTreeMap<String, String>>,
}

/// Removes the volumes that podman had made for these nodes before it made them: their label is the
/// node's name.
fn remove_volumes(program: &Program, nodes: &[&str]) -> Result<(), Error> {
    let listed = program.command_output(&["volume", "ls", "--format", "json"])?;
    // Podman before 4.0 writes nothing where there is none.
    let listed = match listed.trim() {
        "" | "null" => "[]",
        text => text,
    };
    let listed: Vec<Volume> = serde_json::from_str(listed).map_err(|error| {
        let message = format!("podman tells of volumes what cannot be read: {error}");
        Error::other(Code::Answer, message, "")
    })?;
    let ours = |volume: &&Volume| {
        let mut labels = volume.labels.iter().flatten();
        labels.any(|(key, value)| value == "true" && nodes.contains(&key.as_str()))
    };
    let names: Vec<_> = listed
        .iter()
        .filter(ours)
        .map(|volume| volume.name.as_str())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    program
        .command_output(&[&["volume", "rm", "--force"], &names[..]].concat())
        .map(drop)
}

/// nerdctl removes no container that may come back, and none that runs.
fn one_after_the_other(program: &Program, names: &[&str]) -> Result<(), Error> {
    let names = find_present(program, names)?;
    if names.is_empty() {
        return Ok(());
    }
    let call = |words: &[&str]| program.command_output(&[words, &names[..]].concat());
    call(&["update", "--restart=no"])
        .map_err(|error| error.during("failed to update restart policy to 'no'"))?;
    for word in ["stop", "wait"] {
        // What never ran, or not since the host's start, cannot be stopped.
        if let Err(error) = call(&[word]) {
            tracing::debug!(%error, ?names, "nodes are removed as they are");
        }
    }
    let arguments = [&REMOVE, &names[..]].concat();
    let output = program.run_command(&arguments)?;
    let failure = if output.status.success() {
        // With `-f` it ends well whatever comes of it.
        let left = find_present(program, &names)?;
        if left.is_empty() {
            return Ok(());
        }
        let reason = format!("still there: {}", left.join(", "));
        program.ended_badly(&arguments, &reason, &output.stderr)
    } else {
        program.failure(&arguments, &output)
    };
    Err(failure.during("failed to delete nodes"))
}

/// Which of these containers are there.
fn find_present<'a>(program: &Program, names: &[&'a str]) -> Result<Vec<&'a str>, Error> {
    let known = program.command_output(&["ps", "-a", "--format", "{{.Names}}"])?;
    let known: Vec<_> = known.split_whitespace().collect();
    let present = names.iter().copied().filter(|name| known.contains(name));
    Ok(present.collect())
}

#[cfg(test)]
#[path = "removal_tests.rs"]
mod tests;
