//! client-go's lock on a kubeconfig file: a file beside it that only one can create.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long somebody else's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// A lock is held for one reading and one writing of a small file; one of this age was left behind.
const STALE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A held lock; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
}

impl Lock {
    /// Takes the lock on `file`, whose directory is made if it is missing.
    pub(super) fn acquire(file: &Path) -> io::Result<Self> {
        Self::acquire_within(file, PATIENCE)
    }

    fn acquire_within(file: &Path, patience: Duration) -> io::Result<Self> {
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
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(named(&path, &error));
                }
                Err(_) if take_stale_away(&path) => {}
                Err(error) if Instant::now() >= deadline => return Err(named(&path, &error)),
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

fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0);
    options.open(path).map(drop)
}

/// Removes a lock that a crashed program left; true if the lock may be tried again at once.
fn take_stale_away(path: &Path) -> bool {
    let age = |path: &Path| -> Option<Duration> {
        let made = fs::symlink_metadata(path).ok()?.modified().ok()?;
        SystemTime::now().duration_since(made).ok()
    };
    if age(path).is_none_or(|age| age < STALE) {
        return false;
    }
    // Two programs may see the same old lock. Only the file that was moved away is judged again, so
    // a lock that the other one has just made anew is put back.
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".stale-{}", std::process::id()));
    let aside = PathBuf::from(aside);
    if fs::rename(path, &aside).is_err() {
        return true;
    }
    let stale = age(&aside).is_some_and(|age| age >= STALE);
    if !stale {
        let _ = fs::hard_link(&aside, path);
    }
    tracing::warn!(path = %path.display(), stale, "kubeconfig lock found");
    let _ = fs::remove_file(&aside);
    stale
}

/// The error in the words that scripts know from client-go.
fn named(path: &Path, error: &io::Error) -> io::Error {
    let reason = match error.kind() {
        io::ErrorKind::AlreadyExists => "file exists".to_owned(),
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("open {}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_taken_once_and_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/config");
        let lock = Lock::acquire(&file).unwrap();
        let error = Lock::acquire_within(&file, Duration::ZERO).unwrap_err();
        let expected = format!("open {}.lock: file exists", file.display());
        assert_eq!(error.to_string(), expected);
        drop(lock);
        drop(Lock::acquire_within(&file, Duration::ZERO).unwrap());
        assert!(!directory.path().join("deep/config.lock").exists());
    }

    #[test]
    fn a_lock_held_for_a_moment_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        let lock = Lock::acquire(&file).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(60));
                drop(lock);
            });
            Lock::acquire(&file).unwrap();
        });
    }

    #[test]
    fn a_lock_that_was_left_behind_is_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        let left = fs::File::create(directory.path().join("config.lock")).unwrap();
        left.set_modified(SystemTime::now() - STALE * 2).unwrap();
        drop(Lock::acquire_within(&file, Duration::ZERO).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
