//! What an engine keeps only to be faster the next time.

use std::path::PathBuf;

/// Whether something is removed or only looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruning {
    /// Say what could be removed.
    Look,
    /// Remove it.
    Remove,
}

/// Something that no node uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// Its name.
    pub name: String,
    /// Bytes on disk, as far as they are known.
    pub bytes: u64,
}

/// What something is that no node uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftoverKind {
    /// An image of the engine's own store.
    Image,
    /// What was unpacked of a node image for all its nodes.
    Prepared,
    /// A network that a command which was killed had made for a moment.
    Network,
}

impl Leftover {
    /// Something that no node uses.
    pub fn new(kind: LeftoverKind, name: impl Into<String>, bytes: u64) -> Self {
        Self {
            kind,
            name: name.into(),
            bytes,
        }
    }
}

/// What nodes use of the host's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse {
    /// The `kind-node` programs that nodes show.
    pub programs: Vec<PathBuf>,
}

impl InUse {
    /// These programs.
    pub fn programs(programs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            programs: programs.into_iter().collect(),
        }
    }
}
