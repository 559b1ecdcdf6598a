//! Directories that nobody but their owner looks into.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Everything for the owner, nothing for others.
const OWNERS_ALONE: u32 = 0o700;
/// Others may make files here too, as in `/tmp`.
const STICKY: u32 = 0o1000;

/// Makes a directory its user's alone, with those above it that are missing, whatever the umask is. One that is there is
/// closed to others.
///
/// What trees for nodes hold is not for a host's users: programs that run as root whoever starts them, and places that
/// everybody may write to.
///
/// # Errors
/// It belongs to somebody else or is a place that users share, or the system refuses.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    match fs::DirBuilder::new().mode(OWNERS_ALONE).create(path) {
        // Through a link too: where it leads is what counts.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let directory = File::open(path)?;
    let found = directory.metadata()?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    check_owner(&found)?;
    if found.mode() & 0o777 != OWNERS_ALONE {
        directory.set_permissions(PermissionsExt::from_mode(OWNERS_ALONE))?;
    }
    Ok(())
}

/// Opens a file that nobody else may hold a lock on, made if it is missing.
///
/// # Errors
/// Those of the system.
pub fn open_private_lock(path: &Path) -> io::Result<File> {
    const MODE: u32 = 0o600;
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .open(path)?;
    if file.metadata()?.mode() & 0o777 != MODE {
        file.set_permissions(PermissionsExt::from_mode(MODE))?;
    }
    Ok(file)
}

fn check_owner(directory: &fs::Metadata) -> io::Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if directory.uid() != user {
        let owner = directory.uid();
        return Err(io::Error::other(format!(
            "it belongs to user {owner}, not to user {user}"
        )));
    }
    if directory.mode() & STICKY != 0 {
        return Err(io::Error::other("it is a place that users share"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_directory_is_closed_each_time_it_is_opened() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        for lax in [0o700, 0o755, 0o500] {
            make_private_directory(&path).unwrap();
            assert_eq!(mode(&path), 0o700);
            chmod(&path, lax);
        }
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        make_private_directory(&link).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn a_lock_is_its_owners() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        fs::write(&path, "").unwrap();
        chmod(&path, 0o644);
        open_private_lock(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn what_others_own_or_share_is_left_as_it_is() {
        kind_testkit::machine::require_root();
        let place = tempfile::tempdir().unwrap();
        chmod(place.path(), 0o1777);
        let error = make_private_directory(place.path()).unwrap_err();
        assert_eq!(error.to_string(), "it is a place that users share");
        assert_eq!(mode(place.path()), 0o1777);
        let theirs = place.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        chmod(&theirs, 0o777);
        std::os::unix::fs::chown(&theirs, Some(65534), None).unwrap();
        let error = make_private_directory(&theirs).unwrap_err();
        assert!(error.to_string().contains("user 65534"), "{error}");
        assert_eq!(mode(&theirs), 0o777);
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(make_private_directory(&file).is_err());
    }
}
