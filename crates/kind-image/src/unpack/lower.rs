//! What the layers below a layer show together, as overlayfs merges them.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::target::{PathInDirectory, is_directory, open_directory, open_root};
use crate::Error;

/// By this attribute overlayfs shows nothing of a directory's lower layers.
pub(super) const OPAQUE: &str = "trusted.overlay.opaque";

/// The unpacked layers below a layer. No layers are below the lowest.
#[derive(Debug, Default)]
pub struct Lower {
    /// Their directories, the highest first.
    layers: Vec<OwnedFd>,
}

/// What a path of the lower layers leads to.
pub(super) struct Found {
    pub(super) place: PathInDirectory,
    pub(super) stat: Stat,
}

/// What one layer says about a path.
enum Sight {
    /// Nothing: the layers below it decide.
    Nothing,
    /// The path leads to nothing, whatever the layers below it have.
    Hidden,
    Found(Found),
}

impl Lower {
    /// Opens the directories of unpacked layers, which come lowest first.
    ///
    /// # Errors
    /// One of them cannot be opened.
    pub fn open_layers<P: AsRef<Path>>(layers: &[P]) -> Result<Self, Error> {
        let opened = layers.iter().rev().map(|path| open_root(path.as_ref()));
        Ok(Self {
            layers: opened.collect::<Result<_, _>>()?,
        })
    }

    /// What stands at a path; symbolic links are not followed.
    pub(super) fn find_entry(&self, path: &Path) -> Result<Option<Found>, Errno> {
        for layer in &self.layers {
            match look_in_layer(layer, path)? {
                Sight::Nothing => {}
                Sight::Hidden => return Ok(None),
                Sight::Found(found) => return Ok(Some(found)),
            }
        }
        Ok(None)
    }

    /// The directory at a path.
    pub(super) fn directory(&self, path: &Path) -> Result<Option<OwnedFd>, Errno> {
        match self.find_entry(path)? {
            Some(found) if is_directory(&found.stat) => {
                open_directory(&found.place.parent, &found.place.name).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The names in the root directory. Where there are far more than anybody has, none are given.
    pub(super) fn names(&self) -> Result<BTreeSet<OsString>, Errno> {
        const MAX_NAMES: usize = 50_000;
        let mut names = BTreeSet::new();
        for layer in &self.layers {
            for entry in Dir::read_from(open_directory(layer, OsStr::new("."))?)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name != b"." && name != b".." {
                    names.insert(OsStr::from_bytes(name).to_owned());
                }
                if names.len() > MAX_NAMES {
                    return Err(Errno::TOOBIG);
                }
            }
        }
        Ok(names)
    }
}

fn look_in_layer(layer: &OwnedFd, path: &Path) -> Result<Sight, Errno> {
    let mut directory = open_directory(layer, OsStr::new("."))?;
    let mut opaque = false;
    let mut parts = path.iter().peekable();
    while let Some(part) = parts.next() {
        let name = part.to_owned();
        let stat = match rustix::fs::statat(&directory, part, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) if opaque => return Ok(Sight::Hidden),
            Err(Errno::NOENT) => return Ok(Sight::Nothing),
            Err(error) => return Err(error),
        };
        if is_whiteout(&stat) {
            return Ok(Sight::Hidden);
        }
        if parts.peek().is_none() {
            let parent = directory;
            let place = PathInDirectory { parent, name };
            return Ok(Sight::Found(Found { place, stat }));
        }
        if !is_directory(&stat) {
            return Ok(Sight::Hidden);
        }
        directory = open_directory(&directory, part)?;
        opaque |= is_opaque(&directory)?;
    }
    Ok(Sight::Nothing)
}

fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

fn is_opaque(directory: &OwnedFd) -> Result<bool, Errno> {
    let mut value = [0; 1];
    match rustix::fs::fgetxattr(directory, OPAQUE, &mut value) {
        Ok(length) => Ok(value[..length] == *b"y"),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a file of a lower layer to read it. Should a pipe have taken its place, that does not wait.
pub(super) fn open_file(found: &Found) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let place = &found.place;
    rustix::fs::openat(&place.parent, &place.name, flags, Mode::empty())
}
