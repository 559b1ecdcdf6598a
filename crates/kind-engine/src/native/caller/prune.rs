//! Removing what no node needs.

use std::fs::{self, TryLockError};
use std::path::{Path, PathBuf};

use kind_image::store::{Store, size_on_disk};

use crate::native::record::NodeRecord;
use crate::native::state::{Lock, State, io_error, lock_file, names_in};
use crate::{Error, InUse, Leftover, LeftoverKind, Pruning};

/// Images of the store, and what was unpacked for node images. Goes on after a failure.
pub(super) fn prune_state(
    state: &State,
    store: &Store,
    pruning: Pruning,
) -> Result<Vec<Leftover>, Error> {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    // First what is named after images, while the images are there.
    failures.extend(prune_shared_image_stores(state, pruning, &mut found).err());
    failures.extend(prune_images(store, pruning, &mut found).err());
    Error::join_failures(failures)?;
    Ok(found)
}

fn prune_images(store: &Store, pruning: Pruning, found: &mut Vec<Leftover>) -> Result<(), Error> {
    for image in store.unused()? {
        if pruning == Pruning::Remove && !store.remove_unused(&image.digest)? {
            continue;
        }
        let names: Vec<_> = image.names.iter().map(ToString::to_string).collect();
        found.push(Leftover::new(
            LeftoverKind::Image,
            names.join(", "),
            image.bytes,
        ));
    }
    Ok(())
}

fn prune_shared_image_stores(
    state: &State,
    pruning: Pruning,
    found: &mut Vec<Leftover>,
) -> Result<(), Error> {
    let mut doomed = Vec::new();
    {
        let state_lock = state.lock()?;
        let Some(records) = all_records(state)? else {
            return Ok(());
        };
        let stores = state.shared_image_stores();
        for name in names_in(&stores)? {
            let place = stores.join(&name);
            let used = records
                .iter()
                .filter_map(|record| record.shared_image_store.as_deref());
            if place.is_dir() && !used.clone().any(|used| used.starts_with(&place)) {
                doomed.extend(
                    claim_directory(state, &place, pruning, &state_lock)?.map(|path| (name, path)),
                );
            }
        }
    }
    for (name, path) in doomed {
        let digest = name.trim_end_matches(".new");
        let size = size_on_disk(&path);
        if pruning == Pruning::Remove {
            fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
        }
        let name = format!("of sha256:{digest}");
        found.push(Leftover::new(LeftoverKind::Prepared, name, size));
    }
    Ok(())
}

/// Takes a directory away from its place, unless somebody works on it; where it is then.
fn claim_directory(
    state: &State,
    place: &Path,
    pruning: Pruning,
    state_lock: &Lock,
) -> Result<Option<PathBuf>, Error> {
    let path = place.with_extension("lock");
    let lock = lock_file(&path)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
    }
    if pruning == Pruning::Look {
        return Ok(Some(place.to_owned()));
    }
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let away = state.place_in_trash(&name, state_lock);
    fs::rename(place, &away).map_err(io_error("remove", place))?;
    Ok(Some(away))
}

/// The records of all nodes; `None` if one cannot be read: it may use anything.
fn all_records(state: &State) -> Result<Option<Vec<NodeRecord>>, Error> {
    let records = NodeRecord::load_all(state)?;
    Ok((records.len() == state.node_names()?.len()).then_some(records))
}

/// What nodes use of the host's files; `None` if that cannot be told.
pub(super) fn in_use(state: &State) -> Result<Option<InUse>, Error> {
    let records = all_records(state)?;
    Ok(records.map(|records| {
        let programs = records.into_iter().filter_map(|record| record.node_agent);
        InUse::programs(programs)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_removal_left_keeps_nothing_from_going() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned());
        let process = std::process::id();
        let left = [format!("ab-{process}"), format!("ab-{process}-0")];
        for place in left.map(|name| state.trash().join(name)) {
            fs::create_dir_all(place.join("containerd")).unwrap();
        }
        let store = state.shared_image_stores().join("ab");
        fs::create_dir_all(store.join("containerd")).unwrap();
        let mut found = Vec::new();
        prune_shared_image_stores(&state, Pruning::Remove, &mut found).unwrap();
        assert_eq!(found.len(), 1);
        assert!(!store.exists());
    }
}
