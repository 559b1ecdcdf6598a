//! Places that this user may not write to, and what to do about it.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{Access, AtFlags, CWD, StatVfs, accessat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

/// Whether this user could make files in a directory, which may itself have to be made.
///
/// # Errors
/// Why not, as the system would say it.
pub(crate) fn may_make_files_in(directory: &Path) -> io::Result<()> {
    let existing = directory.ancestors().find(|path| path.exists());
    // Nothing is above a relative path but the current directory.
    let existing = existing.unwrap_or(Path::new("."));
    if !existing.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    allows_access(existing, Access::WRITE_OK | Access::EXEC_OK)
}

/// Whether files can be made in a directory, which may itself have to be made: one is, and is removed again. What
/// permissions say is not all that the system asks: a directory may be immutable, or its disk full.
///
/// # Errors
/// Why not.
pub(crate) fn try_to_make_files_in(directory: &Path) -> io::Result<()> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    may_make_files_in(directory)?;
    let existing = directory.ancestors().find(|path| path.is_dir());
    let number = TRIED.fetch_add(1, Ordering::Relaxed);
    let name = format!(".kind-{}-{number}", std::process::id());
    let file = existing.unwrap_or(Path::new(".")).join(name);
    File::create_new(&file)?;
    fs::remove_file(&file)
}

/// Whether this user could change the content of a file.
///
/// # Errors
/// Why not, as the system would say it.
pub(crate) fn may_write(file: &Path) -> io::Result<()> {
    allows_access(file, Access::WRITE_OK)
}

/// Whether the system refuses to everybody what permissions would allow, as for an immutable file.
pub(crate) fn is_refused_to_all(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::PERM)
}

fn allows_access(path: &Path, access: Access) -> io::Result<()> {
    // Without the flag the system answers for the user who called a set-uid program.
    Ok(accessat(CWD, path, access, AtFlags::EACCESS)?)
}

/// Room on the disk of a directory, which may itself have to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that this user could write.
    pub(crate) bytes: u64,
    /// Files that may be made; `None` where there is no limit.
    pub(crate) files: Option<u64>,
}

/// How much room there is; `None` where that cannot be told.
pub(crate) fn measure_room(directory: &Path) -> Option<Room> {
    let existing = directory.ancestors().find(|path| path.exists());
    let stat = rustix::fs::statvfs(existing.unwrap_or(Path::new("."))).ok()?;
    room_for(&stat, is_root())
}

/// What a disk has left: a part of it may be root's alone. What has no blocks is no disk.
fn room_for(disk: &StatVfs, is_root: bool) -> Option<Room> {
    let (blocks, files) = if is_root {
        (disk.f_bfree, disk.f_ffree)
    } else {
        (disk.f_bavail, disk.f_favail)
    };
    (disk.f_blocks > 0).then(|| Room {
        bytes: blocks.saturating_mul(disk.f_frsize),
        files: (disk.f_files > 0).then_some(files),
    })
}

/// Whether this is root.
pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

/// Whether a file is this user's own.
pub(crate) fn is_users(file: &Metadata) -> bool {
    file.uid() == geteuid().as_raw()
}

/// What a user can do who may not use a path; `instead` is another way, in words that go on a sentence.
/// `None` if the failure is another one.
pub(crate) fn remedy(path: &Path, error: &io::Error, instead: &str) -> Option<String> {
    let mut parts = path.ancestors();
    let obstacle = parts.find_map(|path| Some((path, fs::symlink_metadata(path).ok()?)));
    match (error.kind(), obstacle) {
        (ErrorKind::StorageFull | ErrorKind::QuotaExceeded, Some((place, _))) => Some(format!(
            "free some space on the disk of {}, or {instead}",
            place.display()
        )),
        (ErrorKind::ReadOnlyFilesystem, Some((place, _))) => {
            Some(format!("{} is read-only: {instead}", place.display()))
        }
        (ErrorKind::PermissionDenied, Some((place, _))) if is_refused_to_all(error) => {
            let place = place.display();
            Some(format!(
                "see with `lsattr -d {place}` whether it is immutable, which `sudo chattr -i {place}` takes away, or {instead}"
            ))
        }
        (ErrorKind::PermissionDenied, Some((place, found))) => {
            let told = describe_missing(place, path, &found)
                .unwrap_or_else(|| describe_denied(place, &found));
            Some(format!("{told}{instead}"))
        }
        _ => None,
    }
}

/// The beginning of a sentence about directories that are missing above what cannot be made.
fn describe_missing(place: &Path, path: &Path, found: &Metadata) -> Option<String> {
    let below = path.strip_prefix(place).ok()?;
    let mut missing = below.components();
    let first = place.join(missing.next()?);
    missing.next()?;
    let (first, owner) = (first.display(), owner_of(found));
    (!is_users(found)).then(|| format!("there is no {first}, and only {owner} can make it: "))
}

fn owner_of(file: &Metadata) -> String {
    match file.uid() {
        0 => "root".to_owned(),
        other => format!("user {other}"),
    }
}

/// The beginning of a sentence about what is there.
fn describe_denied(place: &Path, found: &Metadata) -> String {
    let (user, shown) = (geteuid().as_raw(), place.display());
    if is_users(found) || is_root() {
        return format!("see what `ls -ld {shown}` allows, or ");
    }
    let owner = owner_of(found);
    let above = place.parent().and_then(|parent| fs::metadata(parent).ok());
    // What lies in a place of the user's own should be the user's: `sudo` has left it there.
    if above.is_some_and(|above| above.uid() == user) {
        let group = getegid().as_raw();
        return format!(
            "{shown} belongs to {owner}: take it back with `sudo chown -R {user}:{group} {shown}`, or "
        );
    }
    format!("{shown} belongs to {owner}: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_missing_can_be_made_where_its_parent_allows_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        may_make_files_in(&directory.path().join("a/b/c")).unwrap();
        may_write(&file).unwrap();
        let error = may_make_files_in(&file.join("a")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
        may_make_files_in(Path::new("relative/kind")).unwrap();
    }

    #[test]
    fn what_is_kept_for_root_is_roots_room() {
        let disk = StatVfs {
            f_blocks: 100,
            f_bfree: 5,
            f_bavail: 0,
            f_files: 10,
            f_ffree: 2,
            f_favail: 1,
            f_frsize: 4096,
            ..rustix::fs::statvfs("/").unwrap()
        };
        let (root, user) = (room_for(&disk, true), room_for(&disk, false));
        let room = |bytes, files| {
            Some(Room {
                bytes,
                files: Some(files),
            })
        };
        assert_eq!((root, user), (room(5 * 4096, 2), room(0, 1)));
        let nothing = StatVfs {
            f_blocks: 0,
            ..disk
        };
        assert_eq!(room_for(&nothing, true), None);
    }

    #[test]
    fn what_belongs_to_somebody_else_is_named() {
        let remedy = |path, kind: ErrorKind| remedy(Path::new(path), &kind.into(), "use another");
        assert_eq!(remedy("/nowhere", ErrorKind::NotFound), None);
        assert_eq!(
            remedy("/proc/none/such", ErrorKind::ReadOnlyFilesystem).as_deref(),
            Some("/proc is read-only: use another")
        );
        let expected = if is_root() {
            "see what `ls -ld /proc` allows, or use another"
        } else {
            "/proc belongs to root: use another"
        };
        let denied = ErrorKind::PermissionDenied;
        assert_eq!(remedy("/proc/none", denied).as_deref(), Some(expected));
        if !is_root() {
            assert_eq!(
                remedy("/proc/none/such", denied).as_deref(),
                Some("there is no /proc/none, and only root can make it: use another")
            );
        }
    }
}
