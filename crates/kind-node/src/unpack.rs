//! The files of a request: a tar stream unpacked below a root directory. In: that stream. Out: files.
//!
//! Names never leave the root: `..` is refused, and symbolic links on the way are resolved as if
//! the root were `/`. Every file appears under its name complete and with its final mode.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use tar::{Entry, EntryType};

/// Why a file could not be put in place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The stream is not a tar stream, or ended early.
    #[error("read the files of the request: {0}")]
    Stream(#[source] io::Error),
    /// The name would lead out of the root, or names no file.
    #[error("refuse the name {}", .0.display())]
    Name(PathBuf),
    /// Devices, pipes and hard links have no place in a request.
    #[error("refuse {}: entries of type {kind:?} are not files of a request", path.display())]
    Kind {
        /// The entry.
        path: PathBuf,
        /// Its type.
        kind: EntryType,
    },
    /// The node's file system refused.
    #[error("write {}: {source}", path.display())]
    Write {
        /// The entry.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Unpacks a tar stream below `root`.
pub(crate) fn unpack_tar(root: &Path, stream: impl Read) -> Result<(), Error> {
    let root =
        fs::openat(CWD, root, directory_flags(), Mode::empty()).map_err(|error| Error::Write {
            path: root.to_owned(),
            source: error.into(),
        })?;
    let mut archive = tar::Archive::new(stream);
    for entry in archive.entries().map_err(Error::Stream)? {
        let mut entry = entry.map_err(Error::Stream)?;
        let path = relative_path(&entry.path().map_err(Error::Stream)?)?;
        place_entry(&root, &path, &mut entry)?;
    }
    Ok(())
}

/// Puts one entry in place.
fn place_entry<R: Read>(
    root: &OwnedFd,
    path: &Path,
    entry: &mut Entry<'_, R>,
) -> Result<(), Error> {
    let failed = |source: io::Error| Error::Write {
        path: path.to_owned(),
        source,
    };
    let mode = entry.header().mode().map_err(Error::Stream)? & 0o7777;
    let kind = entry.header().entry_type();
    match kind {
        EntryType::Directory => ensure_directory(root, path, mode).map_err(failed).map(drop),
        EntryType::Regular | EntryType::Continuous => {
            let (parent, name) = parent_of(root, path).map_err(failed)?;
            write_file(&parent, name, mode_of(name, mode), entry).map_err(failed)
        }
        EntryType::Symlink => {
            let target = entry.link_name().map_err(Error::Stream)?;
            let target = target.ok_or_else(|| Error::Name(path.to_owned()))?;
            let (parent, name) = parent_of(root, path).map_err(failed)?;
            write_link(&parent, name, &target).map_err(failed)
        }
        _ => Err(Error::Kind {
            path: path.to_owned(),
            kind,
        }),
    }
}

/// The entry's name below the root.
fn relative_path(path: &Path) -> Result<PathBuf, Error> {
    let mut name = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => name.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Error::Name(path.to_owned()));
            }
        }
    }
    Ok(name)
}

/// Private keys are for root alone, whatever mode they came with.
fn mode_of(name: &OsStr, mode: u32) -> u32 {
    let key = Path::new(name).extension() == Some(OsStr::new("key"));
    if key { mode & 0o600 } else { mode }
}

/// Opens the directory that holds `path`, made if it is missing, and gives the last name.
fn parent_of<'a>(root: &OwnedFd, path: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let parent = ensure_directory(root, path.parent().unwrap_or(Path::new("")), 0o755)?;
    Ok((parent, name))
}

/// Opens a directory; makes what is missing of it. One that exists keeps its mode: the caller
/// does not know that `/tmp` is not like other directories.
fn ensure_directory(root: &OwnedFd, path: &Path, mode: u32) -> io::Result<OwnedFd> {
    if path.as_os_str().is_empty() {
        return root.try_clone();
    }
    match open_directory(root, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let (parent, name) = parent_of(root, path)?;
    match fs::mkdirat(&parent, name, Mode::from_raw_mode(0o700)) {
        // Someone else made it in the meantime: theirs counts.
        Err(rustix::io::Errno::EXIST) => return open_directory(root, path),
        other => other?,
    }
    let directory = open_directory(root, path)?;
    // Set apart from its making, so that the umask has no say.
    fs::fchmod(&directory, Mode::from_raw_mode(mode))?;
    Ok(directory)
}

fn open_directory(root: &OwnedFd, path: &Path) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    Ok(fs::openat2(
        root,
        path,
        directory_flags(),
        Mode::empty(),
        resolve,
    )?)
}

fn directory_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Writes a file under a name of its own and renames it into place.
fn write_file<R: Read>(
    directory: &OwnedFd,
    name: &OsStr,
    mode: u32,
    entry: &mut Entry<'_, R>,
) -> io::Result<()> {
    let size = entry.size();
    let draft = draft_of(name);
    remove_draft(directory, &draft)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = fs::openat(directory, &draft, flags, Mode::from_raw_mode(0o600))?;
    let mut file = File::from(file);
    let written = io::copy(entry, &mut file)
        // The stream ends like a file does when the caller dies in the middle of one.
        .and_then(|copied| (copied == size).then_some(()).ok_or_else(cut_short))
        .and_then(|()| Ok(fs::fchmod(&file, Mode::from_raw_mode(mode))?))
        .and_then(|()| Ok(fs::renameat(directory, &draft, directory, name)?));
    if written.is_err() {
        // The first error is the one to report.
        let _ = remove_draft(directory, &draft);
    }
    written
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ended early")
}

/// Makes a symbolic link in the place of whatever had its name, unless that is a directory.
fn write_link(directory: &OwnedFd, name: &OsStr, target: &Path) -> io::Result<()> {
    let draft = draft_of(name);
    remove_draft(directory, &draft)?;
    fs::symlinkat(target, directory, &draft)?;
    let renamed = fs::renameat(directory, &draft, directory, name);
    if renamed.is_err() {
        // The first error is the one to report.
        let _ = remove_draft(directory, &draft);
    }
    Ok(renamed?)
}

/// The name a file has until it is complete.
fn draft_of(name: &OsStr) -> OsString {
    let mut draft = OsString::from(".kind-draft-");
    draft.push(name);
    draft
}

/// Removes what an interrupted request left behind.
fn remove_draft(directory: &OwnedFd, draft: &OsStr) -> io::Result<()> {
    match fs::statat(directory, draft, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::Directory => {
            Ok(fs::unlinkat(directory, draft, AtFlags::empty())?)
        }
        Ok(_) => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use tar::{Builder, Header};

    use super::*;

    fn add(tar: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, mode: u32, content: &str) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        // Written by hand: the builder itself refuses hostile names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, content.as_bytes()).unwrap();
    }

    fn link(tar: &mut Builder<Vec<u8>>, name: &str, target: &str) {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        tar.append_link(&mut header, name, target).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn files_directories_and_links_are_placed_with_their_modes() {
        let root = tempfile::tempdir().unwrap();
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, "./a/", EntryType::Directory, 0o750, "");
        add(&mut tar, "/a/b/run", EntryType::Regular, 0o755, "#!");
        add(&mut tar, "a/ca.key", EntryType::Regular, 0o644, "secret");
        add(&mut tar, "a/ca.crt", EntryType::Regular, 0o644, "public");
        link(&mut tar, "a/link", "/etc/target");
        unpack_tar(root.path(), tar.into_inner().unwrap().as_slice()).unwrap();

        assert_eq!(mode(&root.path().join("a")), 0o750);
        assert_eq!(mode(&root.path().join("a/b")), 0o755);
        assert_eq!(mode(&root.path().join("a/b/run")), 0o755);
        assert_eq!(mode(&root.path().join("a/ca.key")), 0o600);
        assert_eq!(mode(&root.path().join("a/ca.crt")), 0o644);
        let target = std::fs::read_link(root.path().join("a/link")).unwrap();
        assert_eq!(target, Path::new("/etc/target"));
        assert_eq!(std::fs::read_dir(root.path().join("a")).unwrap().count(), 4);
    }

    #[test]
    fn an_existing_directory_keeps_its_mode() {
        let root = tempfile::tempdir().unwrap();
        let tmp = root.path().join("tmp");
        std::fs::create_dir(&tmp).unwrap();
        std::fs::set_permissions(&tmp, PermissionsExt::from_mode(0o1777)).unwrap();
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, "tmp/", EntryType::Directory, 0o755, "");
        add(&mut tar, "tmp/file", EntryType::Regular, 0o644, "x");
        unpack_tar(root.path(), tar.into_inner().unwrap().as_slice()).unwrap();
        assert_eq!(mode(&tmp), 0o1777);
    }

    #[test]
    fn names_and_links_cannot_leave_the_root() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        symlink(outside.path(), root.path().join("out")).unwrap();
        symlink("/etc", root.path().join("inside")).unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();

        let mut tar = Builder::new(Vec::new());
        add(&mut tar, "../evil", EntryType::Regular, 0o644, "x");
        let error = unpack_tar(root.path(), tar.into_inner().unwrap().as_slice()).unwrap_err();
        assert!(matches!(error, Error::Name(_)), "{error}");

        // A link with an absolute target is followed below the root, where the target is missing.
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, "out/evil", EntryType::Regular, 0o644, "x");
        assert!(unpack_tar(root.path(), tar.into_inner().unwrap().as_slice()).is_err());
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);

        let mut tar = Builder::new(Vec::new());
        add(&mut tar, "inside/file", EntryType::Regular, 0o644, "x");
        unpack_tar(root.path(), tar.into_inner().unwrap().as_slice()).unwrap();
        assert!(root.path().join("etc/file").exists());
    }

    #[test]
    fn a_file_replaces_a_link_instead_of_writing_through_it() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("target"), "old").unwrap();
        symlink("target", root.path().join("name")).unwrap();
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, "name", EntryType::Regular, 0o644, "new");
        unpack_tar(root.path(), tar.into_inner().unwrap().as_slice()).unwrap();
        let read = |name: &str| std::fs::read_to_string(root.path().join(name)).unwrap();
        assert_eq!((read("target"), read("name")), ("old".into(), "new".into()));
    }

    #[test]
    fn devices_and_hard_links_are_refused() {
        for kind in [
            EntryType::Block,
            EntryType::Char,
            EntryType::Fifo,
            EntryType::Link,
        ] {
            let root = tempfile::tempdir().unwrap();
            let mut tar = Builder::new(Vec::new());
            add(&mut tar, "thing", kind, 0o644, "");
            let error = unpack_tar(root.path(), tar.into_inner().unwrap().as_slice()).unwrap_err();
            assert!(matches!(error, Error::Kind { .. }), "{error}");
        }
    }

    #[test]
    fn a_stream_that_ends_early_leaves_no_half_file() {
        let root = tempfile::tempdir().unwrap();
        let mut tar = Builder::new(Vec::new());
        let content = "x".repeat(2000);
        add(&mut tar, "file", EntryType::Regular, 0o644, &content);
        let mut bytes = tar.into_inner().unwrap();
        bytes.truncate(1000);
        assert!(unpack_tar(root.path(), bytes.as_slice()).is_err());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_empty_stream_is_no_file() {
        let root = tempfile::tempdir().unwrap();
        unpack_tar(root.path(), io::empty()).unwrap();
    }
}
