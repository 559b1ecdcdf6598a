//! client-go's lock on a kubeconfig file: a file beside it that only one can create.

mod owner;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use owner::Owner;

/// How long somebody else's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// A lock is held for one reading and one writing of a small file; one of this age was left behind,
/// unless its owner is known to live.
const STALE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A held lock; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
}

/// Why a lock cannot be had, in the words that scripts know from client-go.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
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
    #[error(transparent)]
    Directory(#[from] io::Error),
}

impl Error {
    /// What the user can do.
    pub(super) fn remedy(&self) -> Option<String> {
        let Self::Held { path, owner, age } = self else {
            return None;
        };
        let holder = match owner {
            Some(pid) => format!("process {pid} holds the lock"),
            None => "another program holds the lock, for example kubectl or kind".to_owned(),
        };
        let age = age.map_or(String::new(), |age| format!(" for {} s now", age.as_secs()));
        Some(format!(
            "{holder}{age}: try again when it is done, or remove {} if no such program runs",
            path.display()
        ))
    }
}

impl Lock {
    /// Takes the lock on `file`, whose directory is made if it is missing.
    pub(super) fn acquire(file: &Path) -> Result<Self, Error> {
        Self::acquire_within(file, PATIENCE)
    }

    fn acquire_within(file: &Path, patience: Duration) -> Result<Self, Error> {
        if let Some(parent) = file
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            fs::create_dir_all(parent)?;
        }
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let deadline = Instant::now() + patience;
        loop {
            match create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Error::Create { path, source });
                }
                Err(_) if take_stale_away(&path) => {}
                Err(_) if Instant::now() >= deadline => return Err(held(path)),
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a kubeconfig lock");
        }
    }
}

/// Makes the lock file. Others only see that it is there; what it says is for ourselves.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o400);
    let mut file = options.open(path)?;
    if let Some(owner) = Owner::this_process() {
        // Without its owner a lock is as good as client-go's.
        let _ = file.write_all(owner.to_string().as_bytes());
    }
    Ok(())
}

/// Removes a lock that a crashed program left; true if the lock may be tried again at once.
///
/// Two programs may see the same old lock, and one that was just made anew must never go: whoever removes a lock
/// has that very file locked for the kernel, and looks again whether it is still the one that stands there.
fn take_stale_away(path: &Path) -> bool {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return error.kind() == io::ErrorKind::NotFound,
    };
    if file.try_lock().is_err() {
        return false;
    }
    if !stands_at(&file, path) {
        return true;
    }
    if !is_stale(path) {
        return false;
    }
    tracing::warn!(path = %path.display(), "a kubeconfig lock that was left behind is removed");
    fs::remove_file(path).is_ok()
}

/// Whether a path leads to this file.
#[cfg(unix)]
fn stands_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    let (open, named) = (file.metadata(), fs::symlink_metadata(path));
    matches!((open, named), (Ok(open), Ok(named)) if identity(&open) == identity(&named))
}

/// Whether a path leads to this file: elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
fn stands_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// A lock whose owner is gone, or whose owner nobody knows and which is old.
fn is_stale(path: &Path) -> bool {
    match Owner::of(path).and_then(|owner| owner.lives()) {
        Some(lives) => !lives,
        None => age(path).is_some_and(|age| age >= STALE),
    }
}

fn age(path: &Path) -> Option<Duration> {
    let made = fs::symlink_metadata(path).ok()?.modified().ok()?;
    SystemTime::now().duration_since(made).ok()
}

fn held(path: PathBuf) -> Error {
    Error::Held {
        owner: Owner::of(&path).map(|owner| owner.pid),
        age: age(&path),
        path,
    }
}

#[cfg(test)]
mod tests;
