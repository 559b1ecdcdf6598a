//! Half-made things: directories in `tmp/` that a crash leaves behind are swept by the next writer.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;

/// A directory of ours in `tmp/`, removed when dropped.
///
/// Its lock file is locked for as long as its maker lives, however that ends.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes one. The caller holds the store's lock, so no sweep comes between making the lock file
    /// and locking it.
    pub(super) fn make_scratch(tmp: &Path) -> Result<Self, Error> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = tmp.join(format!("{}-{number}", std::process::id()));
        let lock_path = path.with_extension("lock");
        // A process id comes again some day: what stands there belongs to a process that is gone,
        // because the sweep runs first and leaves only what is locked.
        let lock = File::create(&lock_path).map_err(Error::path("create", &lock_path))?;
        lock.lock().map_err(Error::path("lock", &lock_path))?;
        fs::create_dir(&path).map_err(Error::path("create", &path))?;
        Ok(Self {
            path,
            lock_path,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = unless_gone(fs::remove_dir_all(&self.path)) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove scratch directory");
            return;
        }
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Removes what makers that are gone left behind. The caller holds the store's lock.
pub(super) fn sweep_scratch(tmp: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(tmp).map_err(Error::path("read", tmp))? {
        let path = entry.map_err(Error::path("read", tmp))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            sweep_one(&path)?;
        }
    }
    Ok(())
}

fn sweep_one(lock_path: &Path) -> Result<(), Error> {
    let Ok(lock) = File::open(lock_path) else {
        return Ok(());
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(Error::path("lock", lock_path)(error)),
    }
    let directory = lock_path.with_extension("");
    tracing::debug!(path = %directory.display(), "sweeping what a crash left behind");
    // Its maker may just have ended well and be removing the same things.
    unless_gone(fs::remove_dir_all(&directory)).map_err(Error::path("remove", &directory))?;
    unless_gone(fs::remove_file(lock_path)).map_err(Error::path("remove", lock_path))
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
