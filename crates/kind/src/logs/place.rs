//! Files of an export, made where nobody else has put anything.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, linkat, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::belonging::{self, give_to_owner_of, give_to_owner_of_open};

/// An open directory that files are made below.
///
/// The directory itself is the user's choice. Nothing below it is reached through a symbolic link, whoever has put one
/// there, and what is there already is replaced, never written into. What is made belongs to the owner of the
/// directory that it is made in.
pub(super) struct LogDirectory(File);

impl LogDirectory {
    /// Opens a directory, and makes it first if it is missing. One that is there keeps its mode.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let parent = path.parent().unwrap_or(Path::new(""));
        belonging::make_directory(parent)?;
        let made = make_if_missing(CWD, path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = File::from(openat(CWD, path, flags, Mode::empty())?);
        if made {
            give_to_owner_of(parent, &directory);
        }
        Ok(Self(directory))
    }

    /// A directory below this one, made with all above it that are missing.
    pub(super) fn make_directory(&self, path: &Path) -> io::Result<Self> {
        let mut directory = self.0.try_clone()?;
        for part in path.components() {
            let Component::Normal(name) = part else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            directory = open_below(&directory, name)?;
        }
        Ok(Self(directory))
    }

    /// A new file, in place of whatever had its name.
    pub(super) fn create_file(&self, path: &Path) -> io::Result<File> {
        let (parent, name) = self.make_room(path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&parent.0, name, flags, OWNERS_FILE)?);
        // Whatever the umask is, who has collected them can read them.
        file.set_permissions(Permissions::from_mode(OWNERS_FILE.as_raw_mode()))?;
        give_to_owner_of_open(&parent.0, &file);
        Ok(file)
    }

    /// A file of this directory, to be read.
    pub(super) fn open_file(&self, path: &Path) -> io::Result<File> {
        let (above, name) = split_path(path)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let above = self.make_directory(above)?;
        Ok(openat(&above.0, name, flags, Mode::empty())?.into())
    }

    /// Gives a file of this directory another name, on filesystems that have such names: see [`lacks_links`].
    pub(super) fn link_file(&self, file: &Path, path: &Path) -> io::Result<()> {
        let (parent, name) = self.make_room(path)?;
        let (above, own) = split_path(file)?;
        let above = self.make_directory(above)?;
        Ok(linkat(&above.0, own, &parent.0, name, AtFlags::empty())?)
    }

    /// Takes away what has a file's name, unless that is a directory, and gives the directory that it stands in.
    fn make_room<'a>(&self, path: &'a Path) -> io::Result<(Self, &'a OsStr)> {
        let (above, name) = split_path(path)?;
        let parent = self.make_directory(above)?;
        match unlinkat(&parent.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok((parent, name)),
            Err(error) => Err(error.into()),
        }
    }
}

const OWNERS_DIRECTORY: Mode = Mode::RWXU;
const OWNERS_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Whether a file got no other name because its filesystem, or the way between the two, has no such names.
pub(super) fn lacks_links(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::XDEV | Errno::MLINK)
    )
}

/// Whether a directory was made; `false` if something has its name.
fn make_if_missing(parent: impl AsFd, name: impl Arg) -> io::Result<bool> {
    match mkdirat(parent, name, OWNERS_DIRECTORY) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn open_below(parent: &File, name: &OsStr) -> io::Result<File> {
    let made = make_if_missing(parent, name)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = File::from(openat(parent, name, flags, Mode::empty())?);
    if made {
        fchmod(&directory, OWNERS_DIRECTORY)?;
        give_to_owner_of_open(parent, &directory);
    }
    Ok(directory)
}

fn split_path(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok((path.parent().unwrap_or(Path::new("")), name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_the_users_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/logs");
        let directory = LogDirectory::open(&path).unwrap();
        directory.create_file(Path::new("pods/x/0.log")).unwrap();
        let modes = ["", "pods", "pods/x", "pods/x/0.log"].map(|name| mode(&path.join(name)));
        assert_eq!(modes, [0o700, 0o700, 0o700, 0o600]);
    }

    #[test]
    fn what_root_makes_in_a_users_directory_is_the_users() {
        const USER: u32 = 12345;
        kind_testkit::machine::require_root();
        let place = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(place.path(), Some(USER), Some(USER)).unwrap();
        let directory = LogDirectory::open(&place.path().join("a/logs")).unwrap();
        directory.create_file(Path::new("pods/0.log")).unwrap();
        for name in ["a", "a/logs", "a/logs/pods", "a/logs/pods/0.log"] {
            let made = fs::metadata(place.path().join(name)).unwrap();
            assert_eq!((made.uid(), made.gid()), (USER, USER), "{name}");
        }
    }

    #[test]
    fn links_that_lie_there_are_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (outside, path) = (place.path().join("outside"), place.path().join("logs"));
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "mine").unwrap();
        fs::create_dir(&path).unwrap();
        symlink(outside.join("file"), path.join("journal.log")).unwrap();
        symlink(&outside, path.join("node")).unwrap();
        let directory = LogDirectory::open(&path).unwrap();
        let mut file = directory.create_file(Path::new("journal.log")).unwrap();
        file.write_all(b"log").unwrap();
        assert_eq!(fs::read(path.join("journal.log")).unwrap(), b"log");
        assert!(directory.create_file(Path::new("node/file")).is_err());
        assert!(directory.create_file(Path::new("../file")).is_err());
        assert!(directory.make_directory(Path::new("/a")).is_err());
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }

    #[test]
    fn a_file_can_have_two_names() {
        let place = tempfile::tempdir().unwrap();
        let directory = LogDirectory::open(place.path()).unwrap();
        let mut file = directory.create_file(Path::new("a/b")).unwrap();
        file.write_all(b"log").unwrap();
        directory
            .link_file(Path::new("a/b"), Path::new("c/d"))
            .unwrap();
        assert_eq!(fs::read(place.path().join("c/d")).unwrap(), b"log");
    }
}
