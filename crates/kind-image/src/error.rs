//! What can go wrong with images, apart from building them.

use std::path::PathBuf;

use crate::Code;
use crate::digest::{Digest, InvalidDigest};

/// A failure around images. `code` is stable, Display says what failed, `source` why, `remedy` what
/// to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation of the system failed.
    #[error("{action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The text is no image reference.
    #[error("invalid image reference {text:?}: {reason}")]
    Reference {
        /// The text.
        text: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// The text is no digest.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// A document of the store or of an archive cannot be read.
    #[error("document {path} is damaged")]
    Document {
        /// The file, or the name of the archive's entry.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Content differs from what its digest promises.
    #[error("{what} is damaged: its digest is {found}, not {expected}")]
    Mismatch {
        /// What was read.
        what: String,
        /// The promised digest.
        expected: Digest,
        /// The real one.
        found: Digest,
    },
    /// No such image.
    #[error("no image {0:?} in the store")]
    Missing(String),
    /// Something that an image needs is not in the store.
    #[error("{what} of image {image} is missing from the store")]
    Incomplete {
        /// Digest of the image's manifest.
        image: Digest,
        /// What is missing.
        what: String,
    },
    /// An archive's entry is refused.
    #[error("archive entry {name:?} refused: {reason}")]
    Refused {
        /// The entry's name.
        name: String,
        /// The rule it breaks.
        reason: Refusal,
    },
    /// A stream is no image archive.
    #[error("not an image archive: {0}")]
    NotAnImage(String),
    /// A registry failed, or the way to it.
    #[error(transparent)]
    Registry(Box<crate::registry::Error>),
}

/// Why an archive's entry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name has a `..` component.
    #[error("its name leaves the target with `..`")]
    ParentComponent,
    /// The name is empty, or names the target itself in a way that would replace it.
    #[error("its name names nothing below the target")]
    EmptyName,
    /// The name or link text holds a NUL byte or is longer than a path can be.
    #[error("its name is no path")]
    BadName,
    /// A hard link's target is missing, a directory, or reached through a symbolic link.
    #[error("its link target is not a file of the target reached without symbolic links")]
    BadLink,
    /// An entry type this program does not unpack.
    #[error("its type is not supported")]
    UnsupportedType,
    /// A number in the header cannot be read or does not fit.
    #[error("its header is malformed")]
    BadHeader,
    /// The extended header gives another size than the header.
    #[error("its extended header gives another size than its header")]
    SizeMismatch,
    /// The extended header is too large.
    #[error("its extended header is too large")]
    LongExtension,
    /// More entries than allowed.
    #[error("the archive has too many entries")]
    TooManyEntries,
    /// More data than allowed.
    #[error("the archive unpacks to too much data")]
    TooLarge,
    /// A device node where none is allowed.
    #[error("it is a device node")]
    Device,
}

impl From<crate::registry::Error> for Error {
    fn from(error: crate::registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io { source, .. } => source,
            other => Self::other(other),
        }
    }
}

impl Error {
    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Io { source, .. } if is_full(source) => Code::NoSpace,
            Self::Io { .. } => Code::Io,
            Self::Reference { .. } => Code::Reference,
            Self::Digest(_) => Code::Digest,
            Self::Document { .. } => Code::Document,
            Self::Mismatch { .. } => Code::Mismatch,
            Self::Missing(_) => Code::Missing,
            Self::Incomplete { .. } => Code::Incomplete,
            Self::Refused { .. } => Code::Refused,
            Self::NotAnImage(_) => Code::NotAnImage,
            Self::Registry(error) => error.code(),
        }
    }

    /// What the user can do, if anything is known.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some("build one with `kind build node-image debian`".to_owned()),
            Self::Incomplete { .. } | Self::Mismatch { .. } => {
                Some("remove the image and build or load it again".to_owned())
            }
            Self::NotAnImage(_) => Some(
                "give an archive made by `docker save`, or an OCI layout packed as a tar"
                    .to_owned(),
            ),
            Self::Registry(error) => error.remedy(),
            Self::Io { source, .. } if is_full(source) => Some(
                "free some space on that disk (`kind prune` removes what no cluster needs), or set KIND_STATE_DIR and \
                 TMPDIR to directories on another one"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Wraps an operating-system error with what was tried.
    pub(crate) fn io<E: Into<std::io::Error>>(action: impl Into<String>) -> impl FnOnce(E) -> Self {
        let action = action.into();
        move |source| Self::Io {
            action,
            source: source.into(),
        }
    }

    /// Wraps an operating-system error with a verb and the path it was about.
    pub(crate) fn path<'a, E: Into<std::io::Error>>(
        verb: &'a str,
        path: &'a std::path::Path,
    ) -> impl FnOnce(E) -> Self + 'a {
        move |source| Self::Io {
            action: format!("{verb} {}", path.display()),
            source: source.into(),
        }
    }
}

/// Whether a disk, or the part of it that a user has, is full.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}
