//! Holds: images that running things need, whatever happens to their names.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::layout::Locked;
use super::{Image, Store};
use crate::{Digest, Error};

/// Holds that last.
const LASTING: &str = "hold";
/// Holds that count while their makers have them locked.
const OF_PROCESS: &str = "making";

/// A hold that ends with this value, or with its process however that ends.
#[derive(Debug)]
pub struct ProcessHold {
    store: Store,
    path: PathBuf,
    _lock: File,
}

impl Drop for ProcessHold {
    fn drop(&mut self) {
        if let Err(error) = self.store.end_hold(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot end a hold");
        }
    }
}

impl Store {
    /// Keeps the layers of an image until [`Store::release`], even if its names go.
    ///
    /// `holder` is a name of the caller's choice, for example a node's; it holds one image.
    pub fn hold_image(&self, image: &Image, holder: &str) -> Result<(), Error> {
        let path = self.hold_path(holder)?;
        let _lock = self.lock()?;
        self.check_presence(image)?;
        self.replace_file(&path, image.digest().to_string().as_bytes())
    }

    /// Keeps the layers of an image for what is being made of it, and touches no other hold.
    pub fn hold_meanwhile(&self, image: &Image) -> Result<ProcessHold, Error> {
        let _lock = self.lock()?;
        self.check_presence(image)?;
        let mut paths = (0..u64::MAX).map(|n| self.holds().join(format!("{n}.{OF_PROCESS}")));
        let path = paths.find(|path| !path.exists());
        let path = path.expect("there are more numbers than holds");
        let make = || -> io::Result<File> {
            let mut file = File::create_new(&path)?;
            file.lock()?;
            file.write_all(image.digest().to_string().as_bytes())?;
            Ok(file)
        };
        let file = make().map_err(Error::path("write", &path))?;
        Ok(ProcessHold {
            store: self.clone(),
            path,
            _lock: file,
        })
    }

    /// Ends a hold; none is no error. Removes the image if nothing else needs it.
    pub fn release(&self, holder: &str) -> Result<(), Error> {
        self.end_hold(&self.hold_path(holder)?)
    }

    fn end_hold(&self, path: &Path) -> Result<(), Error> {
        let lock = self.lock()?;
        match fs::remove_file(path) {
            Ok(()) => self.collect_garbage(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::path("remove", path)(error)),
        }
    }

    fn check_presence(&self, image: &Image) -> Result<(), Error> {
        if self.blob_path(image.digest()).exists() {
            Ok(())
        } else {
            Err(Error::Missing(image.digest().to_string()))
        }
    }

    /// The names of all who hold an image until they release it.
    pub fn holders(&self) -> Result<Vec<String>, Error> {
        let lasting = self.hold_paths()?.into_iter();
        let lasting = lasting.filter(|path| path.extension().is_some_and(|it| it == LASTING));
        let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        Ok(lasting.filter_map(name).collect())
    }

    /// Digests of the manifests that somebody holds.
    pub(super) fn held_manifests(&self, _lock: &Locked) -> Result<BTreeSet<Digest>, Error> {
        let mut held = BTreeSet::new();
        for path in self.hold_paths()? {
            let counts = match path.extension().and_then(|extension| extension.to_str()) {
                Some(LASTING) => true,
                Some(OF_PROCESS) => !drop_if_abandoned(&path)?,
                _ => false,
            };
            if counts {
                let text = fs::read_to_string(&path).map_err(Error::path("read", &path))?;
                held.insert(text.parse()?);
            }
        }
        Ok(held)
    }

    fn hold_paths(&self) -> Result<Vec<PathBuf>, Error> {
        let directory = self.holds();
        let entries = fs::read_dir(&directory).map_err(Error::path("read", &directory))?;
        let path = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.path());
        let paths: io::Result<_> = entries.map(path).collect();
        paths.map_err(Error::path("read", &directory))
    }

    fn hold_path(&self, holder: &str) -> Result<PathBuf, Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if holder.is_empty() || !holder.bytes().all(allowed) || holder.starts_with('.') {
            return Err(Error::Reference {
                text: holder.to_owned(),
                reason: "a holder's name has letters, digits, `.`, `_` and `-` only",
            });
        }
        Ok(self.holds().join(format!("{holder}.{LASTING}")))
    }

    fn holds(&self) -> PathBuf {
        self.root().join("holds")
    }
}

/// Removes the hold of a process if that is gone. The caller holds the store's lock.
fn drop_if_abandoned(path: &Path) -> Result<bool, Error> {
    let file = File::open(path).map_err(Error::path("open", path))?;
    match file.try_lock_shared() {
        Ok(()) => {
            fs::remove_file(path).map_err(Error::path("remove", path))?;
            Ok(true)
        }
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::path("lock", path)(error)),
    }
}
