//! What crashes have left: networks that no node is on, directories that were being removed, cgroups of nodes that
//! are not there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kind_sys::cgroup::{Group, Hierarchies};

use crate::native::record::NetworkRecord;
use crate::native::state::{Lock, State, io_error, names_in};
use crate::native::teardown::KILL_TIMEOUT;
use crate::native::{cgroups, network};
use crate::{Error, Pruning};

/// What is younger may belong to something that goes on.
const ORPHAN_AGE: Duration = Duration::from_secs(600);

/// Finds them all, each in words. Goes on after a failure to remove one.
pub(super) fn prune_orphans(state: &State, pruning: Pruning) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    let mut take = |name: String, remove: &dyn Fn() -> Result<(), Error>| {
        if pruning == Pruning::Remove
            && let Err(error) = remove()
        {
            failures.push(error);
            return;
        }
        found.push(name);
    };
    let lock = state.lock()?;
    for record in find_networks(state, &lock)? {
        let name = format!("network {} on link {}", record.name, record.bridge);
        take(name, &|| network::remove_network(state, &record));
    }
    for group in find_groups(state)? {
        let name = format!("cgroup {}", group.display());
        take(name, &|| remove_group(&group));
    }
    for path in find_discarded(state)? {
        let name = format!("directory {}", path.display());
        take(name, &|| {
            fs::remove_dir_all(&path).map_err(io_error("remove", &path))
        });
    }
    Error::join_failures(failures)?;
    Ok(found)
}

fn find_networks(state: &State, lock: &Lock) -> Result<Vec<NetworkRecord>, Error> {
    let mut networks = network::find_unused(state, lock)?;
    networks.retain(|record| is_old(&NetworkRecord::path(state, &record.name)));
    Ok(networks)
}

fn find_discarded(state: &State) -> Result<Vec<PathBuf>, Error> {
    let names = names_in(&state.trash())?.into_iter();
    let paths = names.map(|name| state.trash().join(name));
    Ok(paths.filter(|path| is_old(path)).collect())
}

/// Paths below the roots of hierarchies: those of nodes that are not there, and in which nothing runs.
fn find_groups(state: &State) -> Result<Vec<PathBuf>, Error> {
    let hierarchies = Hierarchies::of_host().map_err(Error::io("read the mount table"))?;
    let nodes = state.node_names()?;
    let mut found = Vec::new();
    for parent in cgroups::parent_groups(state) {
        for hierarchy in &hierarchies.all {
            let directory = hierarchy.mount.join(&parent);
            for name in directories_in(&directory) {
                let group = Path::new(&parent).join(&name);
                if !nodes.contains(&name) && !found.contains(&group) {
                    found.push(group);
                }
            }
        }
    }
    let runs = |group: &PathBuf| {
        let mut places = hierarchies.all.iter().map(|one| one.mount.join(group));
        places.any(|place| has_processes(&place))
    };
    found.retain(|group| !runs(group));
    Ok(found)
}

fn remove_group(group: &Path) -> Result<(), Error> {
    let hierarchies = Hierarchies::of_host().map_err(Error::io("read the mount table"))?;
    let removed = Group::new(hierarchies, group).remove(KILL_TIMEOUT);
    removed.map_err(io_error("remove the cgroup", group))
}

fn has_processes(group: &Path) -> bool {
    // Of a group whose children have controllers reading it fails: then its children tell.
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let mut children = directories_in(group).into_iter();
    !own.is_empty() || children.any(|child| has_processes(&group.join(child)))
}

fn directories_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Whether a path stands where it is for long: renaming it counts as a change.
fn is_old(path: &Path) -> bool {
    let changed = fs::symlink_metadata(path).ok().map(|found| found.ctime());
    let changed = changed.and_then(|seconds| u64::try_from(seconds).ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    changed.zip(now.ok()).is_some_and(|(changed, now)| {
        now.saturating_sub(Duration::from_secs(changed)) >= ORPHAN_AGE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_young_may_still_be_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned());
        state.make_directories().unwrap();
        fs::create_dir(state.trash().join("a-1")).unwrap();
        assert_eq!(prune_orphans(&state, Pruning::Remove).unwrap(), [""; 0]);
        assert!(state.trash().join("a-1").exists());
        assert!(is_old(Path::new("/proc/self/exe")) || !is_old(directory.path()));
    }

    #[test]
    fn a_group_without_processes_is_empty_with_all_below_it() {
        let group = tempfile::tempdir().unwrap();
        let below = group.path().join("kubelet/pod");
        fs::create_dir_all(&below).unwrap();
        fs::write(group.path().join("cgroup.procs"), "").unwrap();
        assert!(!has_processes(group.path()));
        fs::write(below.join("cgroup.procs"), "7\n").unwrap();
        assert!(has_processes(group.path()));
    }
}
