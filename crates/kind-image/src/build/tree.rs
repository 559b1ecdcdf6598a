//! Directories and files that become part of an image: their modes are those given here, whatever the
//! caller's umask is.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::Error;

const DIRECTORY_MODE: u32 = 0o755;

/// Makes a directory, and those above it that are missing, for all to read.
pub(super) fn make_directory(path: &Path) -> Result<(), Error> {
    make_directories(path).map_err(Error::path("create", path))
}

/// Writes a file, with the directories above it.
pub(super) fn write_file(path: &Path, mode: u32, text: &str) -> Result<(), Error> {
    let write = || {
        make_parent(path)?;
        fs::write(path, text)?;
        fs::set_permissions(path, Permissions::from_mode(mode))
    };
    write().map_err(Error::path("write", path))
}

/// Makes a symbolic link, with the directories above it.
pub(super) fn make_link(path: &Path, target: &str) -> Result<(), Error> {
    make_parent(path)
        .and_then(|()| symlink(target, path))
        .map_err(Error::path("create", path))
}

/// Gives a file another name; a copy where the filesystem does not allow that.
pub(super) fn link_file(from: &Path, to: &Path) -> Result<(), Error> {
    make_parent(to)
        .and_then(|()| fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ())))
        .map_err(Error::path("copy", from))
}

/// Copies a file with its mode, links resolved.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(), Error> {
    make_parent(to)
        .and_then(|()| fs::copy(from, to))
        .map(|_| ())
        .map_err(Error::path("copy", from))
}

/// Copies a program, for all to run.
pub(super) fn copy_program(from: &Path, to: &Path) -> Result<(), Error> {
    copy_file(from, to)?;
    fs::set_permissions(to, Permissions::from_mode(0o755)).map_err(Error::path("write", to))
}

/// Gives everything in a tree the same time, so that the same content makes the same layer.
pub(super) fn settle_tree(root: &Path) -> Result<(), Error> {
    let apply = || -> io::Result<()> {
        if fs::symlink_metadata(root)?.is_dir() {
            for entry in fs::read_dir(root)? {
                settle_tree(&entry?.path()).map_err(io::Error::other)?;
            }
        }
        let time = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        Ok(utimensat(CWD, root, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    };
    apply().map_err(Error::path("set time of", root))
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_directories)
}

fn make_directories(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    make_parent(path)?;
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn modes_do_not_depend_on_the_caller() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("usr/local/bin/tool");
        write_file(&file, 0o755, "#!/bin/sh\n").unwrap();
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o755, 0o755));
        let linked = place.path().join("other/tool");
        link_file(&file, &linked).unwrap();
        assert_eq!(fs::read_to_string(&linked).unwrap(), "#!/bin/sh\n");
        make_link(&place.path().join("etc/link"), "../usr").unwrap();
        copy_program(&file, &place.path().join("etc/link/copied")).unwrap();
        assert!(place.path().join("usr/copied").exists());
        assert!(link_file(Path::new("/nonexistent"), &linked).is_err());
        settle_tree(place.path()).unwrap();
        for path in [
            &file,
            &place.path().join("usr"),
            &place.path().join("etc/link"),
        ] {
            let modified = fs::symlink_metadata(path).unwrap().modified().unwrap();
            assert_eq!(modified, std::time::SystemTime::UNIX_EPOCH);
        }
    }
}
