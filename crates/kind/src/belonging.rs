//! Whose the files are that root makes in a user's directory.
//!
//! `sudo` may keep the user's HOME and runs in the user's directory. What is made there has to be the user's: a
//! kubeconfig of root would be in the way of every later call without `sudo`, and logs could not be read. So new files and directories belong to the owner of the directory
//! that they are made in. For everybody but root they do anyway.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::access::is_root;

/// Gives a file that was made just now to the owner of its directory. Where the filesystem knows no owners,
/// the file stays as it is.
pub(crate) fn give_to_owner_of(directory: &Path, file: &File) {
    give_to_owner(fs::metadata(or_current(directory)), file);
}

/// The same for a directory that is open.
pub(crate) fn give_to_owner_of_open(directory: &File, file: &File) {
    give_to_owner(directory.metadata(), file);
}

fn give_to_owner(directory: io::Result<Metadata>, file: &File) {
    let given = || -> io::Result<()> {
        let (owner, made) = (directory?, file.metadata()?);
        if !is_root() || owner.uid() == 0 || owner.uid() == made.uid() {
            return Ok(());
        }
        std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
    };
    if let Err(error) = given() {
        tracing::debug!(%error, "a file stays root's");
    }
}

/// Makes a directory with all that are missing above it, each for the owner of the one it is in.
///
/// # Errors
/// The system's.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    if or_current(path).is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    make_directory(parent)?;
    match fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    if is_root() {
        // A link that somebody has put in its place meanwhile is not followed.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::DIRECTORY;
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        let made = File::options().read(true).custom_flags(flags).open(path)?;
        give_to_owner_of(parent, &made);
    }
    Ok(())
}

/// The empty path is the parent of relative names.
fn or_current(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who is not root makes only files of his own; then this says that nothing is given away.
    #[test]
    fn what_root_makes_in_a_users_directory_is_the_users() {
        const USER: u32 = 12345;
        let directory = tempfile::tempdir().unwrap();
        let owner = if is_root() {
            std::os::unix::fs::chown(directory.path(), Some(USER), Some(USER)).unwrap();
            USER
        } else {
            fs::metadata(directory.path()).unwrap().uid()
        };
        let deep = directory.path().join("a/b");
        make_directory(&deep).unwrap();
        make_directory(&deep).unwrap();
        let file = File::create(deep.join("file")).unwrap();
        give_to_owner_of(&deep, &file);
        for path in ["a", "a/b", "a/b/file"] {
            let made = fs::metadata(directory.path().join(path)).unwrap();
            assert_eq!(made.uid(), owner, "{path}");
        }
    }
}
