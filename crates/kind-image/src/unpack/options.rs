//! How a tar stream is unpacked.

use std::path::PathBuf;

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Entries made.
    pub entries: u64,
    /// Bytes of file content.
    pub bytes: u64,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, more: Self) {
        self.entries = self.entries.saturating_add(more.entries);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

/// How a tar stream is unpacked. Begin with [`Options::layer`] or [`Options::files`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory of the target that the archive's names are relative to; must exist.
    pub directory: PathBuf,
    /// Who owns what is unpacked.
    pub ownership: Ownership,
    /// What happens to directories and links to directories that are there already.
    pub existing: Existing,
    /// Unpack device nodes; otherwise they are refused.
    pub devices: bool,
    /// Entries allowed.
    pub max_entries: u64,
    /// Bytes of file content allowed.
    pub max_bytes: u64,
}

/// Who owns what is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Whom the archive names. Needs root.
    Archive,
    /// Whoever unpacks; privileged attributes are left out too.
    Caller,
}

/// What happens to a directory of the target when the archive has an entry of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The entry decides: it replaces the directory, or gives it its mode and owner.
    Replace,
    /// A directory, or a link to one, stays as it is; only a directory entry may have its name.
    Keep,
}

const GIB: u64 = 1 << 30;

impl Options {
    /// The same, less what was unpacked before: the layers of an image share what one may have.
    #[must_use]
    pub(crate) fn after(self, before: Summary) -> Self {
        Self {
            max_entries: self.max_entries.saturating_sub(before.entries),
            max_bytes: self.max_bytes.saturating_sub(before.bytes),
            ..self
        }
    }

    /// For a layer that goes into a directory of its own, and for any tree as it is.
    pub fn layer() -> Self {
        Self {
            directory: PathBuf::new(),
            ownership: Ownership::Archive,
            existing: Existing::Replace,
            devices: true,
            max_entries: 2_000_000,
            max_bytes: 64 * GIB,
        }
    }

    /// For files that go into a living tree, below `directory`.
    pub fn files(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            existing: Existing::Keep,
            devices: false,
            ..Self::layer()
        }
    }
}
