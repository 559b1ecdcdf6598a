//! What a layer says about the layers below it, and how overlayfs is told.
//!
//! A layer's whiteouts hide what lower layers have, wherever they stand in its archive. So they are only noted
//! while entries are unpacked, and made real when all of them are known:
//!
//! - a whiteout is a device, but only where something is hidden: one that hides nothing would be seen;
//! - where the layer has a directory in the place of what is hidden, that directory is opaque instead;
//! - an opaque mark in the root, which overlayfs does not know, becomes a whiteout for every name there;
//! - a directory that the layer does not list is one of the lower layers with all its attributes;
//! - a hard link to a file of a lower layer is one to a copy of it, which stands in its place.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat, Timespec, XattrFlags};
use rustix::io::Errno;

use super::attributes::{Attributes, make_node};
use super::lower::{Found, Lower, OPAQUE};
use super::options::Ownership;
use super::target::{Target, is_directory, open_directory};
use crate::Refusal;

const OPAQUE_MARK: &str = ".wh..wh..opq";
const WHITEOUT_PREFIX: &[u8] = b".wh.";
const WHITEOUT_META_PREFIX: &[u8] = b".wh..wh.";

/// What a layer says about the layers below it. Paths are canonical in the layer.
pub(super) struct Changeset<'a> {
    lower: &'a Lower,
    /// Paths that are hidden with all that is below them.
    whiteouts: BTreeSet<PathBuf>,
    /// Directories of which all that is below them is hidden.
    opaque: BTreeSet<PathBuf>,
    /// Directories that stand where the layer had something else before.
    replaced: BTreeSet<PathBuf>,
    /// Directories that were made although no entry lists them yet, by their inode.
    implied: HashMap<u64, PathBuf>,
    /// Files of lower layers that got another name: their path, and the archive's entry.
    linked: Vec<(PathBuf, PathBuf)>,
}

/// What the layer itself has at a path.
enum Own {
    Nothing,
    Directory,
    /// What hides everything that lower layers have there.
    Other,
}

/// The time of a directory, to be set when nothing in it changes any more.
pub(super) type DirectoryTime = (PathBuf, Timespec);

impl<'a> Changeset<'a> {
    pub(super) fn new(lower: &'a Lower) -> Self {
        Self {
            lower,
            whiteouts: BTreeSet::new(),
            opaque: BTreeSet::new(),
            replaced: BTreeSet::new(),
            implied: HashMap::new(),
            linked: Vec::new(),
        }
    }

    /// Notes a whiteout; `false` if the path is none.
    pub(super) fn note_whiteout(&mut self, path: &Path) -> Result<bool, Refusal> {
        let name = path.file_name().unwrap_or_default();
        let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT_PREFIX) else {
            return Ok(false);
        };
        let directory = path.parent().unwrap_or(Path::new(""));
        if name == OPAQUE_MARK {
            self.opaque.insert(directory.to_owned());
            return Ok(true);
        }
        // Other names of this form are notes of aufs.
        if name.as_bytes().starts_with(WHITEOUT_META_PREFIX) {
            return Ok(true);
        }
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(Refusal::EmptyName);
        }
        let hidden = directory.join(OsStr::from_bytes(hidden));
        self.whiteouts.insert(hidden);
        Ok(true)
    }

    /// Notes directories that were made on the way to an entry.
    pub(super) fn note_implied(
        &mut self,
        target: &Target<'_>,
        made: Vec<PathBuf>,
    ) -> Result<(), Errno> {
        for path in made {
            if let Some(stat) = target.strict_place(&path)?.stat()? {
                self.implied.insert(stat.st_ino, path);
            }
        }
        Ok(())
    }

    /// Notes that an entry lists a directory.
    pub(super) fn note_listed(&mut self, directory: &Stat) {
        self.implied.remove(&directory.st_ino);
    }

    /// Notes a directory that took the place of something else in this layer.
    pub(super) fn note_replaced(&mut self, path: PathBuf) {
        self.replaced.insert(path);
    }

    /// The file of a lower layer that an entry wants to link to.
    pub(super) fn find_link_target(&self, path: &Path) -> Result<Option<Found>, Errno> {
        if path.ancestors().any(|part| self.replaced.contains(part)) {
            return Ok(None);
        }
        let found = self.lower.find_entry(path)?;
        Ok(found.filter(|found| !is_directory(&found.stat)))
    }

    /// Notes that the file of a lower layer at `path` is linked to by an entry.
    pub(super) fn note_linked(&mut self, path: &Path, entry: &Path) {
        self.linked.push((path.to_owned(), entry.to_owned()));
    }

    /// The first entry that links to a file which this layer hides.
    pub(super) fn hidden_link(&self) -> Option<&Path> {
        let mut linked = self.linked.iter();
        let hidden = linked.find(|(path, _)| {
            let mut above = path.ancestors().skip(1);
            above.any(|path| self.opaque.contains(path))
                || path.ancestors().any(|path| self.whiteouts.contains(path))
        });
        hidden.map(|(_, entry)| entry.as_path())
    }

    /// Makes it all real; gives the times of directories that come from lower layers.
    pub(super) fn settle_entry(
        mut self,
        target: &Target<'_>,
        ownership: Ownership,
    ) -> Result<Vec<DirectoryTime>, Errno> {
        if self.opaque.remove(Path::new("")) {
            let names = self.lower.names()?;
            self.whiteouts.extend(names.into_iter().map(PathBuf::from));
        }
        let mut times = Vec::new();
        let mut implied: Vec<_> = self.implied.drain().collect();
        implied.sort_by(|(_, one), (_, other)| one.cmp(other));
        for (inode, path) in implied {
            let stat = target.strict_place(&path).and_then(|place| place.stat());
            // An entry may have replaced it, or a directory above it.
            if matches!(stat, Ok(Some(stat)) if is_directory(&stat) && stat.st_ino == inode) {
                times.extend(self.adopt_attributes(target, path, ownership)?);
            }
        }
        let mut made = Vec::new();
        for path in &self.whiteouts {
            self.hide_lower(target, path, &mut made)?;
        }
        for path in self.opaque.iter().chain(&self.replaced) {
            self.hide_content(target, path, &mut made)?;
        }
        for path in made {
            times.extend(self.adopt_attributes(target, path, ownership)?);
        }
        Ok(times)
    }

    /// Hides what lower layers have at a path.
    fn hide_lower(
        &self,
        target: &Target<'_>,
        path: &Path,
        made: &mut Vec<PathBuf>,
    ) -> Result<(), Errno> {
        if self.is_below_hidden(path) {
            return Ok(());
        }
        let Some(hidden) = self.lower.find_entry(path)? else {
            return Ok(());
        };
        match own(target, path)? {
            Own::Directory if is_directory(&hidden.stat) => make_opaque(target, path),
            Own::Nothing => make_node(&target.place(path, made)?, FileType::CharacterDevice, 0),
            Own::Directory | Own::Other => Ok(()),
        }
    }

    /// Hides what lower layers have below a directory.
    fn hide_content(
        &self,
        target: &Target<'_>,
        path: &Path,
        made: &mut Vec<PathBuf>,
    ) -> Result<(), Errno> {
        let hidden = self.whiteouts.contains(path) || self.is_below_hidden(path);
        if hidden || self.lower.directory(path)?.is_none() {
            return Ok(());
        }
        match own(target, path)? {
            Own::Other => return Ok(()),
            Own::Directory => {}
            Own::Nothing => drop(target.make_directories(path, made)?),
        }
        make_opaque(target, path)
    }

    /// Gives a directory that no entry lists the attributes that it has in the lower layers, if it is there.
    fn adopt_attributes(
        &self,
        target: &Target<'_>,
        path: PathBuf,
        ownership: Ownership,
    ) -> Result<Option<DirectoryTime>, Errno> {
        let place = target.strict_place(&path)?;
        let directory = open_directory(&place.parent, &place.name)?;
        let hidden = self.whiteouts.contains(&path) || self.is_below_hidden(&path);
        let lower = if hidden {
            None
        } else {
            self.lower.directory(&path)?
        };
        let Some(lower) = lower else {
            // Neither the caller's umask nor a set-group-id bit above has a say.
            Attributes::of_new_directory(&rustix::fs::fstat(&directory)?)
                .set_open(&directory, ownership)?;
            return Ok(None);
        };
        let stat = rustix::fs::fstat(&lower)?;
        let attributes = Attributes::of_lower(&stat, Some(&lower))?;
        attributes.set_open(&directory, ownership)?;
        Ok(Some((path, attributes.mtime)))
    }

    /// Whether something above a path hides it.
    fn is_below_hidden(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|above| {
            let sets = [&self.whiteouts, &self.opaque, &self.replaced];
            sets.iter().any(|set| set.contains(above))
        })
    }
}

fn own(target: &Target<'_>, path: &Path) -> Result<Own, Errno> {
    let stat = match target.strict_place(path) {
        Ok(place) => place.stat()?,
        Err(Errno::NOENT) => None,
        Err(Errno::NOTDIR | Errno::LOOP) => return Ok(Own::Other),
        Err(error) => return Err(error),
    };
    Ok(match stat {
        None => Own::Nothing,
        Some(stat) if is_directory(&stat) => Own::Directory,
        Some(_) => Own::Other,
    })
}

fn make_opaque(target: &Target<'_>, path: &Path) -> Result<(), Errno> {
    let place = target.strict_place(path)?;
    let directory = open_directory(&place.parent, &place.name)?;
    rustix::fs::fsetxattr(&directory, OPAQUE, b"y", XattrFlags::empty())
}
