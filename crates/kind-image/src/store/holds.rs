//! Holds: images that running things need, whatever happens to their names.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::layout::Locked;
use super::{Image, Store};
use crate::{Digest, Error};

impl Store {
    /// Keeps the layers of an image until [`Store::release`], even if its names go.
    ///
    /// `holder` is a name of the caller's choice, for example a node's; it holds one image.
    pub fn hold_image(&self, image: &Image, holder: &str) -> Result<(), Error> {
        let path = self.hold_path(holder)?;
        let _lock = self.lock()?;
        if !self.blob_path(image.digest()).exists() {
            return Err(Error::Missing(image.digest().to_string()));
        }
        self.replace_file(&path, image.digest().to_string().as_bytes())
    }

    /// Ends a hold; none is no error. Removes the image if nothing else needs it.
    pub fn release(&self, holder: &str) -> Result<(), Error> {
        let path = self.hold_path(holder)?;
        let lock = self.lock()?;
        match fs::remove_file(&path) {
            Ok(()) => self.collect_garbage(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::path("remove", &path)(error)),
        }
    }

    /// The names of all who hold an image.
    pub fn holders(&self) -> Result<Vec<String>, Error> {
        let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        Ok(self.hold_paths()?.into_iter().filter_map(name).collect())
    }

    /// Digests of the manifests that somebody holds.
    pub(super) fn held_manifests(&self, _lock: &Locked) -> Result<BTreeSet<Digest>, Error> {
        let mut held = BTreeSet::new();
        for path in self.hold_paths()? {
            let text = fs::read_to_string(&path).map_err(Error::path("read", &path))?;
            held.insert(text.parse()?);
        }
        Ok(held)
    }

    fn hold_paths(&self) -> Result<Vec<PathBuf>, Error> {
        let directory = self.root().join("holds");
        let mut paths = Vec::new();
        for entry in fs::read_dir(&directory).map_err(Error::path("read", &directory))? {
            paths.push(entry.map_err(Error::path("read", &directory))?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|it| it == "hold"));
        Ok(paths)
    }

    fn hold_path(&self, holder: &str) -> Result<PathBuf, Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if holder.is_empty() || !holder.bytes().all(allowed) || holder.starts_with('.') {
            return Err(Error::Reference {
                text: holder.to_owned(),
                reason: "a holder's name has letters, digits, `.`, `_` and `-` only",
            });
        }
        Ok(self.root().join("holds").join(format!("{holder}.hold")))
    }
}
