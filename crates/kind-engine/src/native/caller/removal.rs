//! Ending and removing nodes, in whatever state they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kind_image::concurrent::run_each;
use kind_image::store::Store;
use kind_sys::process::{Handle, KILL, SHUTDOWN};

use crate::native::record::{NodeRecord, RunRecord};
use crate::native::state::{Lock, NodeDirectory, State, UNFINISHED, file_name, names_in};
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

/// Removes nodes, and whatever else no node needs after that, be it left by a crash. Goes on after failures.
pub(super) fn remove_nodes(state: &State, store: &Store, names: &[String]) -> Result<(), Error> {
    let removed = run_each(names, |name| remove_node(state, name));
    let mut failures: Vec<Error> = removed.into_iter().filter_map(Result::err).collect();
    match sweep_state(state, store) {
        Ok(errors) => failures.extend(errors),
        Err(error) => failures.push(error),
    }
    Error::join_failures(failures)
}

fn remove_node(state: &State, name: &str) -> Result<(), Error> {
    let directory = state.node(name);
    if !directory.exists() {
        return Ok(());
    }
    end_node(state, &directory, name)?;
    // A record that cannot be read must not keep the rest from going.
    let record = NodeRecord::load(&directory).ok();
    let away = {
        let lock = state.lock()?;
        let away = state.place_in_trash(&file_name(name), &lock);
        match fs::rename(directory.path(), &away) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => result.map_err(Error::io(format!("remove node {name}")))?,
        }
        if let Some(record) = record {
            hosts::write_hosts(state, &record.network, &lock)?;
        }
        away
    };
    let moved = State::node_directory_at(&away);
    if moved.is_running() {
        // Its monitor began after the node was ended; it finds no node any more.
        end_node(state, &moved, name)?;
    }
    delete_discarded(&away);
    Ok(())
}

/// Ends a node with everything that it has on the host.
fn end_node(state: &State, directory: &NodeDirectory, name: &str) -> Result<(), Error> {
    kill_node(directory, name)?;
    clear_host(state, name)?;
    // Only now: the monitor cannot remove the cgroups that it is in.
    let group = cgroups::monitor_group(state, name)?;
    group.remove(KILL_TIMEOUT).map_err(Error::io(format!(
        "remove the cgroups of the monitor of node {name}"
    )))
}

/// Removes what belongs to no node; what could not be removed.
fn sweep_state(state: &State, store: &Store) -> Result<Vec<Error>, Error> {
    let lock = state.lock()?;
    let mut failures = network::remove_unused(state, &lock);
    failures.extend(release_images(state, store, &lock).err());
    failures.extend(store.sweep().err().map(Error::from));
    let discarded = discarded_paths(state, &lock);
    drop(lock);
    discarded.iter().for_each(|path| delete_discarded(path));
    Ok(failures)
}

/// Lets go of the images of nodes that are not there. Under the lock: a node's image is held before the node is there.
fn release_images(state: &State, store: &Store, _lock: &Lock) -> Result<(), Error> {
    for holder in store.holders()? {
        let node = holder.strip_prefix(HOLDER_PREFIX);
        if node.is_some_and(|node| !state.node(node).exists()) {
            store.release(&holder)?;
        }
    }
    Ok(())
}

/// Deletes what was put aside. What cannot be deleted now is tried again by the next removal.
fn delete_discarded(path: &Path) {
    let deadline = Instant::now() + LAST_WRITES;
    while let Err(error) = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path)) {
        if error.kind() == io::ErrorKind::NotFound || Instant::now() > deadline {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What removals and creations, some perhaps cut short, have put aside. Under the lock: a node that is
/// being made stands there too for a moment, and so does the new text of a network's record.
fn discarded_paths(state: &State, _lock: &Lock) -> Vec<PathBuf> {
    let paths = |directory: PathBuf| {
        let names = names_in(&directory).unwrap_or_default().into_iter();
        names.map(move |name| directory.join(name))
    };
    let is_unfinished = |path: &PathBuf| path.extension().is_some_and(|it| it == UNFINISHED);
    let mut discarded: Vec<_> = paths(state.trash()).collect();
    discarded.extend(paths(state.networks()).filter(is_unfinished));
    discarded.extend(paths(state.reports()).filter(|path| !is_wanted(path)));
    discarded
}

/// A helper's report bears the number of the process that wanted it.
fn is_wanted(report: &Path) -> bool {
    let name = report.file_name().unwrap_or_default().to_string_lossy();
    let process = name.split('-').next().unwrap_or_default();
    Path::new("/proc").join(process).exists()
}

/// The name under which a node keeps its image in the store.
pub(super) fn image_holder(node: &str) -> String {
    format!("{HOLDER_PREFIX}{node}")
}

const HOLDER_PREFIX: &str = "node-";
/// How long a helper that was killed may take for the file that it is writing.
const LAST_WRITES: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use kind_image::oci::ImageConfig;

    use super::*;

    #[test]
    fn what_a_killed_creation_leaves_goes_with_the_next_removal() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned());
        state.make_directories().unwrap();
        let store = Store::open(&state.images()).unwrap();
        let draft = store.draft().unwrap();
        let image = draft.commit(ImageConfig::default(), &["a/b:c".parse().unwrap()]);
        let image = image.unwrap();
        for holder in ["node-gone", "node-there", "somebody"] {
            store.hold_image(&image, holder).unwrap();
        }
        let of = |name: &str| directory.path().join(name);
        let left = ["networks/kind.7.new", "reports/4194305-0", "trash/.gone-7"];
        fs::create_dir(of("reports")).unwrap();
        fs::create_dir_all(of("nodes/there")).unwrap();
        left.iter()
            .for_each(|name| fs::write(of(name), "").unwrap());
        remove_nodes(&state, &store, &[]).unwrap();
        assert!(left.iter().all(|name| !of(name).exists()), "{left:?}");
        let mut holders = store.holders().unwrap();
        holders.sort();
        assert_eq!(holders, ["node-there", "somebody"]);
    }
}
