//! A directory that paths are resolved in and never left.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::{Error, Refusal};

/// Opens a directory to unpack into or to pack.
pub fn open_root(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(Error::path("open", path))
}

/// A directory that paths are resolved in.
pub(super) struct Target<'a> {
    root: BorrowedFd<'a>,
    directory: PathBuf,
}

/// A name in an open directory.
pub(super) struct Place {
    pub(super) parent: OwnedFd,
    pub(super) name: OsString,
}

impl<'a> Target<'a> {
    pub(super) fn new(root: BorrowedFd<'a>, directory: &Path) -> Result<Self, Refusal> {
        let directory = normal(directory)?;
        Ok(Self { root, directory })
    }

    /// An archive's name as a path from the root; empty for the target directory itself.
    pub(super) fn path(&self, name: &Path) -> Result<PathBuf, Refusal> {
        let name = normal(name)?;
        if name.as_os_str().is_empty() {
            return Ok(name);
        }
        Ok(self.directory.join(name))
    }

    /// The place of a path; directories on the way that do not exist are made.
    pub(super) fn place(&self, path: &Path) -> Result<Place, Errno> {
        let name = path.file_name().ok_or(Errno::INVAL)?.to_owned();
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = match self.resolve(parent, in_root()) {
            Err(Errno::NOENT) => self.make_directories(parent)?,
            other => other?,
        };
        Ok(Place { parent, name })
    }

    /// The place of a hard link's target: nothing on the way may be a symbolic link.
    pub(super) fn link_target(&self, path: &Path) -> Result<Place, Errno> {
        let name = path.file_name().ok_or(Errno::INVAL)?.to_owned();
        let strict =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let parent = self.resolve(path.parent().unwrap_or(Path::new("")), strict)?;
        Ok(Place { parent, name })
    }

    /// Whether a path leads to a directory, through links of the target if there are some.
    pub(super) fn is_directory(&self, path: &Path) -> bool {
        self.resolve(path, in_root()).is_ok()
    }

    fn make_directories(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let mut so_far = PathBuf::new();
        for component in path.components() {
            let parent = self.resolve(&so_far, in_root())?;
            so_far.push(component);
            match rustix::fs::mkdirat(&parent, component.as_os_str(), Mode::from_raw_mode(0o755)) {
                // What is there must turn out to lead to a directory in the next step.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        self.resolve(&so_far, in_root())
    }

    fn resolve(&self, path: &Path, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // The kernel gives up with EAGAIN when something is renamed meanwhile.
        for _ in 0..64 {
            match rustix::fs::openat2(self.root, path, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN) => {}
                other => return other,
            }
        }
        Err(Errno::AGAIN)
    }
}

impl Place {
    /// What is there now, links not followed.
    pub(super) fn stat(&self) -> Result<Option<Stat>, Errno> {
        match rustix::fs::statat(&self.parent, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what is there, directories with all their content.
    pub(super) fn clear(&self) -> Result<(), Errno> {
        remove(self.parent.as_fd(), &self.name)
    }
}

fn remove(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        let bytes = entry.file_name().to_bytes();
        if bytes != b"." && bytes != b".." {
            use std::os::unix::ffi::OsStrExt;
            remove(directory.as_fd(), OsStr::from_bytes(bytes))?;
        }
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// A path without `.` and without a leading `/`. `..` is refused even where it would stay inside.
fn normal(path: &Path) -> Result<PathBuf, Refusal> {
    use std::os::unix::ffi::OsStrExt;
    if path.as_os_str().as_bytes().contains(&0) {
        return Err(Refusal::BadName);
    }
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) if part.len() > 255 => return Err(Refusal::BadName),
            Component::Normal(part) => normal.push(part),
            Component::ParentDir => return Err(Refusal::ParentComponent),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    if normal.as_os_str().len() > 4000 {
        return Err(Refusal::BadName);
    }
    Ok(normal)
}

fn in_root() -> ResolveFlags {
    ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS
}

pub(super) fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}
