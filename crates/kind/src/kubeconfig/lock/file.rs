//! The lock file: taking it, giving it back, and looking at what others have left.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::owner::Owner;
use crate::access;
use crate::belonging;
use crate::kubeconfig::files::ANOTHER_FILE;
use crate::kubeconfig::write;

/// How long somebody else's lock is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// A lock is held for one reading and one writing of a small file; one of this age was left behind,
/// unless its owner is known to live.
const STALE_LOCK_AGE: Duration = Duration::from_secs(60);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A held lock; dropping it gives it back.
#[derive(Debug)]
pub(in crate::kubeconfig) struct Lock {
    path: PathBuf,
}

/// Why a lock cannot be had, in the words that scripts know from client-go.
#[derive(Debug, thiserror::Error)]
pub(in crate::kubeconfig) enum Error {
    /// Somebody else has it and does not give it back.
    #[error("open {}: file exists", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The process that made it, if it is known.
        owner: Option<u32>,
        /// How old it is, if that is known.
        age: Option<Duration>,
    },
    /// The lock file cannot be made.
    #[error("open {}: {source}", path.display())]
    Create {
        /// The lock file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The directory of the kubeconfig cannot be made.
    #[error("mkdir {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// What the user can do.
    pub(in crate::kubeconfig) fn remedy(&self) -> Option<String> {
        let (path, owner, age) = match self {
            Self::Held { path, owner, age } => (path, owner, age),
            Self::Create { path, source } | Self::Directory { path, source } => {
                return access::remedy(path, source, ANOTHER_FILE);
            }
        };
        Some(format!(
            "{}: try again when it is done, or remove {} if no such program runs",
            describe_holder(*owner, *age),
            path.display()
        ))
    }
}

/// Who has a lock, and for how long.
fn describe_holder(owner: Option<u32>, age: Option<Duration>) -> String {
    let holder = match owner {
        Some(pid) => format!("process {pid} holds the lock"),
        None => "another program holds the lock, for example kubectl or kind".to_owned(),
    };
    let age = age.map_or(String::new(), |age| format!(" for {} s now", age.as_secs()));
    format!("{holder}{age}")
}

impl Lock {
    /// Takes the lock on `file`, whose directory is made if it is missing. It is not waited for once `unwanted`.
    pub(in crate::kubeconfig) fn acquire_for(
        file: &Path,
        unwanted: &dyn Fn() -> bool,
    ) -> Result<Self, Error> {
        Self::acquire_within(file, LOCK_TIMEOUT, unwanted)
    }

    fn acquire_within(
        file: &Path,
        timeouts: Duration,
        unwanted: &dyn Fn() -> bool,
    ) -> Result<Self, Error> {
        let parent = file.parent().unwrap_or(Path::new(""));
        belonging::make_directory(parent).map_err(|source| Error::Directory {
            path: parent.to_owned(),
            source,
        })?;
        let path = lock_of(file);
        let deadline = Instant::now() + timeouts;
        loop {
            match create_lock(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Error::Create { path, source });
                }
                Err(_) if take_stale_away(&path) => {}
                Err(_) if unwanted() || Instant::now() >= deadline => return Err(lock_held(path)),
                Err(_) => std::thread::sleep(LOCK_POLL_INTERVAL),
            }
        }
    }
}

/// The lock of a kubeconfig file.
fn lock_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Whether the lock on a file could be had if nobody else had it. Leaves nothing.
///
/// # Errors
/// Those of [`Lock::acquire_for`] but [`Error::Held`].
pub(in crate::kubeconfig) fn check_lock(file: &Path) -> Result<(), Error> {
    let parent = file.parent().unwrap_or(Path::new(""));
    let allowed = access::try_to_make_files_in(parent);
    let is_there = parent.as_os_str().is_empty() || parent.is_dir();
    allowed.map_err(|source| {
        if is_there {
            Error::Create {
                path: lock_of(file),
                source,
            }
        } else {
            Error::Directory {
                path: parent.to_owned(),
                source,
            }
        }
    })
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a kubeconfig lock");
        }
    }
}

/// A lock that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldLock {
    /// The lock file.
    pub(crate) path: PathBuf,
    /// The process that made it, if it is known.
    pub(crate) owner: Option<u32>,
    /// How old it is, if that is known.
    pub(crate) age: Option<Duration>,
    /// A crash has left it.
    pub(crate) is_stale: bool,
}

impl HeldLock {
    /// What it means for whoever wants to write the file soon.
    pub(crate) fn describe(&self) -> String {
        let holder = describe_holder(self.owner, self.age);
        format!(
            "{} is there, and {holder}: the kubeconfig cannot be written before it is gone",
            self.path.display()
        )
    }
}

/// The lock that somebody has on a file, if there is one.
pub(crate) fn find_lock(file: &Path) -> Option<HeldLock> {
    let path = lock_of(file);
    fs::symlink_metadata(&path).ok()?;
    Some(HeldLock {
        owner: Owner::read_owner(&path).map(|owner| owner.pid),
        age: lock_age(&path),
        is_stale: is_stale(&path),
        path,
    })
}

/// Removes the lock on a file that a crash has left, with what was being written.
pub(in crate::kubeconfig) fn remove_left(file: &Path) {
    let path = lock_of(file);
    if path.symlink_metadata().is_ok() {
        take_stale_away(&path);
    }
}

/// Removes a lock that a crash has left. One that is gone already, or that somebody holds by now, is left alone.
///
/// # Errors
/// Why it cannot be removed.
pub(crate) fn remove_stale_lock(path: &Path) -> crate::Result<()> {
    if take_stale_away(path) || !is_stale(path) {
        return Ok(());
    }
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    Err(crate::Error::io("failed to remove", path)(denied))
}

/// Makes the lock file. Others only see that it is there; what it says is for ourselves.
fn create_lock(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o400);
    let mut file = options.open(path)?;
    belonging::give_to_owner_of(path.parent().unwrap_or(Path::new("")), &file);
    if let Some(owner) = Owner::this_process() {
        // Without its owner a lock is as good as client-go's.
        let _ = file.write_all(owner.to_string().as_bytes());
    }
    Ok(())
}

/// Removes a lock that a crashed program left; true if the lock may be tried again at once.
///
/// Two programs may see the same old lock, and one that was just made anew must never go: whoever removes a lock
/// has its directory locked for the kernel, and looks only then whether it is old. The lock file itself cannot
/// serve for that: client-go's may not be read, not even by who made it.
fn take_stale_away(path: &Path) -> bool {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let Ok(directory) = File::open(parent.unwrap_or(Path::new("."))) else {
        return false;
    };
    if directory.try_lock().is_err() {
        return false;
    }
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return true;
    }
    if !is_stale(path) {
        return false;
    }
    tracing::warn!(path = %path.display(), "a kubeconfig lock that was left behind is removed");
    if let Some(owner) = Owner::read_owner(path) {
        write::remove_left_text(&path.with_extension(""), owner.pid);
    }
    fs::remove_file(path).is_ok()
}

/// A lock whose owner is gone, or whose owner nobody knows and which is old.
fn is_stale(path: &Path) -> bool {
    match Owner::read_owner(path).and_then(|owner| owner.is_alive()) {
        Some(lives) => !lives,
        None => lock_age(path).is_some_and(|age| age >= STALE_LOCK_AGE),
    }
}

fn lock_age(path: &Path) -> Option<Duration> {
    let made = fs::symlink_metadata(path).ok()?.modified().ok()?;
    SystemTime::now().duration_since(made).ok()
}

fn lock_held(path: PathBuf) -> Error {
    Error::Held {
        owner: Owner::read_owner(&path).map(|owner| owner.pid),
        age: lock_age(&path),
        path,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
