//! Ending and removing nodes, in whatever state they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kind_image::concurrent::run_each;
use kind_image::store::Store;
use kind_sys::process::{Handle, KILL, SHUTDOWN};

use crate::native::record::{NodeRecord, RunRecord};
use crate::native::state::{Lock, NodeDirectory, State, file_name, names_in};
use crate::native::teardown::{KILL_TIMEOUT, clear_host};
use crate::native::{cgroups, hosts, network};
use crate::{Code, Error};

/// Asks a node to shut down; kills it after `grace`.
pub(super) fn stop_node(
    directory: &NodeDirectory,
    name: &str,
    grace: Duration,
) -> Result<(), Error> {
    signal_node(directory, SHUTDOWN);
    if wait_until_stopped(directory, grace, || ()) {
        return Ok(());
    }
    kill_node(directory, name)
}

fn kill_node(directory: &NodeDirectory, name: &str) -> Result<(), Error> {
    // Again and again: a monitor that is just starting the node has no process to kill yet.
    if wait_until_stopped(directory, KILL_TIMEOUT, || signal_node(directory, KILL)) {
        return Ok(());
    }
    Err(Error::other(
        Code::NodeStuck,
        format!("node {name} does not end although its processes were killed"),
        "look for processes in state D (`ps -eo pid,stat,comm`): they wait for a disk or network filesystem",
    ))
}

fn signal_node(directory: &NodeDirectory, number: i32) {
    let run = RunRecord::load(directory).ok().flatten();
    let pid = run.and_then(|run| kind_sys::process::pid(run.pid));
    let handle = pid.and_then(|pid| Handle::open(pid).ok());
    // The monitor still holds the lock after the handle was opened, so the process is the node's.
    if let Some(handle) = handle.filter(|_| directory.is_running()) {
        let _ = handle.signal(number);
    }
}

fn wait_until_stopped(directory: &NodeDirectory, limit: Duration, each: impl Fn()) -> bool {
    let deadline = Instant::now() + limit;
    while directory.is_running() {
        if Instant::now() > deadline {
            return false;
        }
        each();
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Removes nodes and the networks that nobody needs after that. Goes on after failures.
pub(super) fn remove_nodes(state: &State, store: &Store, names: &[String]) -> Result<(), Error> {
    let removed = run_each(names, |name| remove_node(state, store, name));
    let mut failures: Vec<Error> = removed.into_iter().filter_map(Result::err).collect();
    match state.lock() {
        Ok(lock) => failures.extend(network::remove_unused(state, &lock)),
        Err(error) => failures.push(error),
    }
    Error::join_failures(failures)
}

fn remove_node(state: &State, store: &Store, name: &str) -> Result<(), Error> {
    let directory = state.node(name);
    if !directory.exists() {
        return Ok(());
    }
    kill_node(&directory, name)?;
    // A record that cannot be read must not keep the rest from going.
    let record = NodeRecord::load(&directory).ok();
    clear_host(state, name)?;
    // Only now: the monitor cannot remove the cgroups that it is in.
    cgroups::monitor_group(state, name)?
        .remove(KILL_TIMEOUT)
        .map_err(Error::io(format!(
            "remove the cgroups of the monitor of node {name}"
        )))?;
    let (doomed, released) = {
        let lock = state.lock()?;
        let away = state.place_in_trash(&file_name(name), &lock);
        match fs::rename(directory.path(), &away) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => result.map_err(Error::io(format!("remove node {name}")))?,
        }
        // Later the name may be another node's.
        let released = store.release(&image_holder(name));
        if let Some(record) = record {
            hosts::write_hosts(state, &record.network, &lock)?;
        }
        (discarded_paths(state, &lock), released)
    };
    // What cannot be deleted now is tried again by the next removal.
    for path in doomed {
        let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
    }
    Ok(released?)
}

/// What removals and creations, some perhaps cut short, have put aside. Under the lock: a node that is
/// being made stands there too for a moment.
fn discarded_paths(state: &State, _lock: &Lock) -> Vec<PathBuf> {
    let names = |directory: &Path| names_in(directory).unwrap_or_default();
    let trash = state.trash();
    let mut paths: Vec<_> = names(&trash).iter().map(|name| trash.join(name)).collect();
    // A helper's report bears the number of the process that wanted it.
    let reports = state.reports();
    for name in names(&reports) {
        let process = name.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            paths.push(reports.join(name));
        }
    }
    paths
}

/// The name under which a node keeps its image in the store.
pub(super) fn image_holder(node: &str) -> String {
    format!("node-{node}")
}
