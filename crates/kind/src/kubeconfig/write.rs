//! Replacing a file as a whole.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::access;
use crate::belonging::give_to_owner_of;

/// Writes `text` as the file's new content. Readers see the old or the new content, never a part.
/// Symbolic links, the mode and the owner of an existing file stay; a new file is the user's alone.
/// What is a device or a pipe is written to.
pub(super) fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(is_stream) {
        return write_stream(path, text);
    }
    let path = follow_links(path);
    let temporary = temporary_of(&path, std::process::id());
    let replaced = match write_new(&temporary, text) {
        // The text has room there, so that whatever else is refused it is worth trying to write it in place.
        Ok(file) => put_in_place(&file, &temporary, &path, old.as_ref()).map_err(|e| (e, true)),
        Err(error) => {
            let forbidden = forbids_another_file(&error);
            Err((error, forbidden))
        }
    };
    let Err((error, may_write_over)) = replaced else {
        return Ok(());
    };
    let _ = fs::remove_file(&temporary);
    match old {
        Some(_) if may_write_over => write_over(&path, text),
        _ => Err(error),
    }
}

/// Writes to what keeps nothing, by its own name: that of `/dev/stdout` leads to a pipe that has none. A pipe that nobody
/// reads is not waited for.
fn write_stream(path: &Path, text: &str) -> io::Result<()> {
    let no_wait = OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    let mut stream = options.write(true).custom_flags(no_wait).open(path)?;
    let flags = rustix::fs::fcntl_getfl(&stream)?;
    rustix::fs::fcntl_setfl(&stream, flags - OFlags::NONBLOCK)?;
    stream.write_all(text.as_bytes())
}

/// Where a process writes a file's new text.
fn temporary_of(path: &Path, pid: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".tmp-{pid}"));
    PathBuf::from(name)
}

/// Removes what a process has left that is gone: keys are in it.
pub(super) fn remove_left_text(path: &Path, pid: u32) {
    // Most processes are not ended in that moment.
    let _ = fs::remove_file(temporary_of(&follow_links(path), pid));
}

/// Writes the text into a file that stays. It may be on another disk than its directory: what does not fit there gives
/// way to what was there before.
fn write_over(path: &Path, text: &str) -> io::Result<()> {
    let old = fs::read(path)?;
    fs::write(path, text).inspect_err(|_| {
        // It had room.
        let _ = fs::write(path, old);
    })
}

/// Gives a written file its owner and its name.
fn put_in_place(
    file: &File,
    temporary: &Path,
    path: &Path,
    old: Option<&Metadata>,
) -> io::Result<()> {
    match old {
        Some(old) => {
            warn_of_readers(path, old);
            copy_owner(file, old)?;
        }
        None => give_to_owner_of(path.parent().unwrap_or(Path::new("")), file),
    }
    fs::rename(temporary, path)
}

/// The mode of a file is its user's choice, but its keys are now those of one more cluster.
fn warn_of_readers(path: &Path, file: &Metadata) {
    if is_open_to_others(file) {
        tracing::warn!(path = %path.display(), "others can read this kubeconfig, which holds keys: `chmod 600` keeps them out");
    }
}

fn is_open_to_others(file: &Metadata) -> bool {
    const OTHERS: u32 = 0o077;
    std::os::unix::fs::MetadataExt::mode(file) & OTHERS != 0
}

/// Whether no file can be made beside one: its directory is not ours, cannot be written to or knows no name so long.
/// Any other failure to write the text would cost the old content too.
fn forbids_another_file(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(
        error.kind(),
        InvalidFilename | PermissionDenied | ReadOnlyFilesystem | Unsupported
    )
}

/// Whether it is a device, a pipe or a socket, which has no content to keep.
fn is_stream(found: &Metadata) -> bool {
    !found.is_file() && !found.is_dir()
}

/// Whether what has that name has no content to keep.
pub(super) fn leads_to_a_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| is_stream(&found))
}

/// Whether [`replace_file`] could write a file, now and when a cluster is made. Leaves nothing.
///
/// # Errors
/// Why not.
pub(super) fn check_writable(path: &Path) -> io::Result<()> {
    let target = follow_links(path);
    if leads_to_a_stream(path) {
        refuse_unfit_stream(&target)?;
        return access::may_write(path);
    }
    let directory = target.parent().unwrap_or(Path::new(""));
    let Ok(old) = fs::metadata(&target) else {
        // A missing directory is made for a file, but not for what a link leads to.
        if target != path && !directory.as_os_str().is_empty() && !directory.is_dir() {
            let text = format!(
                "it is a link to {}, and there is no such directory",
                target.display()
            );
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        return access::try_to_make_files_in(directory);
    };
    match OpenOptions::new().write(true).open(&target) {
        // A file of the user's own is replaced, whatever its mode.
        Err(error) if access::is_users(&old) && !access::is_refused_to_all(&error) => {
            access::try_to_make_files_in(directory)
        }
        opened => opened.map(drop),
    }
}

/// Refuses streams that have a name: whether anybody will read them cannot be found out without ending what is read, and
/// a disk's content is not to be written over.
fn refuse_unfit_stream(target: &Path) -> io::Result<()> {
    let Ok(found) = fs::metadata(target) else {
        return Ok(());
    };
    let kind = found.file_type();
    let what = match () {
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() => "a disk",
        () => return Ok(()),
    };
    let text = format!("it is {what}, not a file");
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

/// Whether [`replace_file`] would find room for a text that is longer than `length` by a cluster's entry.
///
/// # Errors
/// The disk is full.
pub(super) fn check_room(path: &Path, length: usize) -> io::Result<()> {
    if leads_to_a_stream(path) {
        return Ok(());
    }
    let path = follow_links(path);
    let room = access::measure_room(path.parent().unwrap_or(Path::new("")));
    if room.is_some_and(|room| is_full(room, length)) {
        Err(io::ErrorKind::StorageFull.into())
    } else {
        Ok(())
    }
}

fn is_full(room: access::Room, length: usize) -> bool {
    room.bytes < length as u64 + ENTRY_SIZE || room.files == Some(0)
}

/// More than a cluster's entry takes, with its certificates.
const ENTRY_SIZE: u64 = 16 << 10;

fn write_new(path: &Path, text: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // One that a crash left is in the way; nothing is written through a link.
    let _ = fs::remove_file(path);
    options.write(true).create_new(true);
    options.mode(0o600);
    let mut file: File = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(file)
}

fn copy_owner(file: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    file.set_permissions(old.permissions())
}

/// The file at the end of a chain of symbolic links, also when it does not exist yet.
fn follow_links(path: &Path) -> PathBuf {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_file_is_the_users_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        replace_file(&path, "a").unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_pipe_is_written_to_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let no_wait = OFlags::NONBLOCK.bits().cast_signed();
        let reader = OpenOptions::new()
            .read(true)
            .custom_flags(no_wait)
            .open(&pipe);
        replace_file(&pipe, "a").unwrap();
        assert_eq!(io::read_to_string(reader.unwrap()).unwrap(), "a");
        assert!(is_stream(&fs::metadata(&pipe).unwrap()));
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_refused_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let error = check_writable(&pipe).unwrap_err();
        assert_eq!(error.to_string(), "it is a pipe, not a file");
        replace_file(&pipe, "a").unwrap_err();
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("s")).unwrap();
        check_writable(&directory.path().join("s")).unwrap_err();
        check_writable(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn a_link_into_a_directory_that_is_missing_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink("gone/config", &link).unwrap();
        let error = check_writable(&link).unwrap_err().to_string();
        assert!(
            error.ends_with("gone/config, and there is no such directory"),
            "{error}"
        );
        fs::create_dir(directory.path().join("gone")).unwrap();
        check_writable(&link).unwrap();
        replace_file(&link, "a").unwrap();
        assert_eq!(
            fs::read_dir(directory.path().join("gone")).unwrap().count(),
            1
        );
    }

    /// Takes the flag away however a test ends.
    struct Immutable(PathBuf);

    impl Immutable {
        /// `None` where this user or the disk knows no such flag.
        fn new(path: &Path) -> Option<Self> {
            Self::change(path, "+i").then(|| Self(path.to_owned()))
        }

        fn change(path: &Path, flag: &str) -> bool {
            let changed = std::process::Command::new("chattr")
                .arg(flag)
                .arg(path)
                .output();
            changed.is_ok_and(|output| output.status.success())
        }
    }

    impl Drop for Immutable {
        fn drop(&mut self) {
            Self::change(&self.0, "-i");
        }
    }

    #[test]
    fn what_is_immutable_is_found_before_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("place");
        fs::create_dir(&place).unwrap();
        let file = place.join("config");
        fs::write(&file, "a").unwrap();
        if let Some(_immutable) = Immutable::new(&file) {
            check_writable(&file).unwrap_err();
            replace_file(&file, "b").unwrap_err();
        }
        check_writable(&file).unwrap();
        if let Some(_immutable) = Immutable::new(&place) {
            access::try_to_make_files_in(&place).unwrap_err();
            check_writable(&place.join("new")).unwrap_err();
        }
        access::try_to_make_files_in(&place.join("deep")).unwrap();
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_that_would_cost_the_old_content_is_none_to_write_over() {
        let forbids = |kind: io::ErrorKind| forbids_another_file(&kind.into());
        assert!(forbids(io::ErrorKind::PermissionDenied));
        assert!(forbids(io::ErrorKind::Unsupported));
        assert!(!forbids(io::ErrorKind::StorageFull));
        assert!(!forbids(io::ErrorKind::QuotaExceeded));
    }

    #[test]
    fn a_full_disk_has_no_room_for_an_entry() {
        let full = |bytes, files| is_full(access::Room { bytes, files }, 1000);
        assert!(full(0, None) && full(16 << 10, None) && full(1 << 20, Some(0)));
        assert!(!full(1 << 20, None) && !full(1 << 20, Some(1)));
        let directory = tempfile::tempdir().unwrap();
        check_room(&directory.path().join("deep/config"), 0).unwrap();
        check_room(Path::new("/dev/null"), 0).unwrap();
    }

    #[test]
    fn a_stream_is_written_to_by_its_own_name() {
        let (mut reader, writer) = io::pipe().unwrap();
        let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
        check_writable(Path::new(&name)).unwrap();
        replace_file(Path::new(&name), "a").unwrap();
        drop(writer);
        let mut read = String::new();
        io::Read::read_to_string(&mut reader, &mut read).unwrap();
        assert_eq!(read, "a");
    }

    #[test]
    fn a_file_whose_name_leaves_no_room_for_another_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("n".repeat(255));
        fs::write(&path, "a").unwrap();
        replace_file(&path, "b").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "b");
    }

    #[test]
    fn links_and_modes_stay() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().join("real");
        let link = directory.path().join("link");
        symlink("real", &link).unwrap();
        replace_file(&link, "a").unwrap();
        fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
        replace_file(&link, "b").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "b");
        assert_eq!(mode(&real), 0o640);
        assert!(is_open_to_others(&fs::metadata(&real).unwrap()));
        fs::set_permissions(&real, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(!is_open_to_others(&fs::metadata(&real).unwrap()));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
