//! What can be known to be wrong with a source beforehand.

use super::source::{Source, is_version, split_digest};
use super::{Error, remote, tarball};

impl Source {
    /// Says what can be known to be wrong with a source before the network or a compiler is asked.
    ///
    /// # Errors
    /// [`Error::UnknownSource`] if it is none, [`Error::NotAVersion`] and [`Error::Download`] if what it
    /// names is malformed, [`Error::NoDigest`] if nobody says what it must be, and whatever is wrong with a file.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Debian | Self::Ci(_) => Ok(()),
            Self::File(tarball) => tarball::check_tarball(tarball),
            Self::Release(version) if !is_version(split_digest(version).0) => {
                Err(Error::NotAVersion(version.clone()))
            }
            Self::Release(_) => Ok(()),
            Self::Url(url) if remote::released_version(url).is_some() => Ok(()),
            Self::Url(url) => remote::parse_pinned(url).map(drop),
            // No path at all means the tree that stands where trees stand.
            Self::Tree(path) if path.as_os_str().is_empty() || path.is_dir() => Ok(()),
            Self::Tree(path) => Err(Error::UnknownSource(path.display().to_string())),
        }
    }
}
