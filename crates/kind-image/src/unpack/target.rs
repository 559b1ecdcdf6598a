//! A directory that paths are resolved in and never left.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::{Error, Refusal};

/// Symbolic links that may stand on one path, as the kernel has it.
const MAX_LINKS: usize = 40;

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
pub(super) struct PathInDirectory {
    pub(super) parent: OwnedFd,
    pub(super) name: OsString,
}

impl<'a> Target<'a> {
    pub(super) fn new(root: BorrowedFd<'a>, directory: &Path) -> Result<Self, Refusal> {
        let directory = normalize_path(directory)?;
        Ok(Self { root, directory })
    }

    /// An archive's name as a path from the root; empty for the target directory itself.
    pub(super) fn path(&self, name: &Path) -> Result<PathBuf, Refusal> {
        let name = normalize_path(name)?;
        if name.as_os_str().is_empty() {
            return Ok(name);
        }
        Ok(self.directory.join(name))
    }

    /// The place of a path; directories on the way that do not exist are made, and added to `made` by their
    /// canonical paths.
    pub(super) fn place(
        &self,
        path: &Path,
        made: &mut Vec<PathBuf>,
    ) -> Result<PathInDirectory, Errno> {
        let name = path.file_name().ok_or(Errno::INVAL)?.to_owned();
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = match self.resolve_path(parent, in_root()) {
            Err(Errno::NOENT) => self.make_directories(parent, made)?,
            other => other?,
        };
        Ok(PathInDirectory { parent, name })
    }

    /// The place of a path on which nothing may be a symbolic link.
    pub(super) fn strict_place(&self, path: &Path) -> Result<PathInDirectory, Errno> {
        let name = path.file_name().ok_or(Errno::INVAL)?.to_owned();
        let parent = self.resolve_path(path.parent().unwrap_or(Path::new("")), strict_flags())?;
        Ok(PathInDirectory { parent, name })
    }

    /// Whether a path leads to a directory, through links of the target if there are some.
    pub(super) fn is_directory(&self, path: &Path) -> bool {
        self.resolve_path(path, in_root()).is_ok()
    }

    /// The path without the symbolic links that stand on it in the target; what does not exist stays as it is.
    pub(super) fn canonical(&self, path: &Path) -> Result<PathBuf, Errno> {
        if self.resolve_path(path, strict_flags()).is_ok() {
            return Ok(path.to_owned());
        }
        let mut canonical = PathBuf::new();
        let mut left: Vec<OsString> = reversed_components(path);
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == ".." {
                canonical.pop();
                continue;
            }
            let link = match self.resolve_path(&canonical, strict_flags()) {
                Ok(parent) => rustix::fs::readlinkat(&parent, &part, Vec::new()),
                Err(error) => Err(error),
            };
            match link {
                Ok(link) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::LOOP);
                    }
                    let link = Path::new(OsStr::from_bytes(link.to_bytes()));
                    if link.is_absolute() {
                        canonical.clear();
                    }
                    left.extend(reversed_components(link));
                }
                Err(Errno::INVAL | Errno::NOENT) => canonical.push(part),
                Err(error) => return Err(error),
            }
        }
        Ok(canonical)
    }

    /// Makes a directory and those above it, as far as they do not exist; adds what it made to `made`.
    pub(super) fn make_directories(
        &self,
        path: &Path,
        made: &mut Vec<PathBuf>,
    ) -> Result<OwnedFd, Errno> {
        let mut so_far = PathBuf::new();
        let path = self.canonical(path)?;
        check_depth(&path)?;
        for component in path.components() {
            let parent = self.resolve_path(&so_far, strict_flags())?;
            so_far.push(component);
            match rustix::fs::mkdirat(&parent, component.as_os_str(), Mode::from_raw_mode(0o755)) {
                Ok(()) => made.push(so_far.clone()),
                // What is there must turn out to be a directory in the next step.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        self.resolve_path(&so_far, strict_flags())
    }

    fn resolve_path(&self, path: &Path, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
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

impl PathInDirectory {
    /// What is there now, links not followed.
    pub(super) fn stat(&self) -> Result<Option<Stat>, Errno> {
        match rustix::fs::statat(&self.parent, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what is there, directories with all their content.
    pub(super) fn remove_existing(&self) -> Result<(), Errno> {
        remove_entry(self.parent.as_fd(), &self.name)
    }
}

fn remove_entry(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
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
            remove_entry(directory.as_fd(), OsStr::from_bytes(bytes))?;
        }
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// Directories may stand in each other so deep: whoever removes or packs a tree keeps one open for each level.
const MAX_DEPTH: usize = 500;

/// Refuses a canonical path that is too deep. One in an archive is short enough, but may go through a link to another.
pub(super) fn check_depth(path: &Path) -> Result<(), Errno> {
    if path.components().count() > MAX_DEPTH {
        return Err(Errno::NAMETOOLONG);
    }
    Ok(())
}

/// A path without `.` and without a leading `/`. `..` is refused even where it would stay inside.
fn normalize_path(path: &Path) -> Result<PathBuf, Refusal> {
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

fn strict_flags() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS
}

/// What a path consists of, the last part first; `.` and the root are nothing.
fn reversed_components(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

/// Opens a directory in another; one that a symbolic link leads to is none.
pub(super) fn open_directory(parent: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

pub(super) fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}
