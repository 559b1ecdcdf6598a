//! Trees of files.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode};

/// Copies what is in a directory, if there is one, into another that is there, with owners and modes. What
/// files of the same name hold is replaced. Of the directories in `kept` nothing but themselves is copied, and
/// nothing at all of what is kept and there already.
pub fn copy(from: &Path, to: &Path, kept: &[&Path]) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    let mut copy = Copy { from, to, kept };
    copy.copy_directory(Path::new(""))
}

struct Copy<'a> {
    from: &'a Path,
    to: &'a Path,
    /// Directories whose content stays where it is.
    kept: &'a [&'a Path],
}

impl Copy<'_> {
    fn copy_directory(&mut self, below: &Path) -> io::Result<()> {
        let metadata = fs::metadata(self.from.join(below))?;
        let target = self.to.join(below);
        if !below.as_os_str().is_empty() {
            make_directory(&target)?;
        }
        if !self.kept.contains(&below) {
            for entry in fs::read_dir(self.from.join(below))? {
                self.copy_entry(&below.join(entry?.file_name()))?;
            }
        }
        set_owner_and_mode(&target, &metadata)
    }

    fn copy_entry(&mut self, below: &Path) -> io::Result<()> {
        let (source, target) = (self.from.join(below), self.to.join(below));
        if self.kept.contains(&below) && fs::symlink_metadata(&target).is_ok() {
            return Ok(());
        }
        let metadata = fs::symlink_metadata(&source)?;
        if metadata.is_dir() {
            return self.copy_directory(below);
        }
        if metadata.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
            return lchown(&target, Some(metadata.uid()), Some(metadata.gid()));
        }
        if metadata.is_file() {
            fs::copy(&source, &target)?;
        } else {
            let (kind, mode) = (
                FileType::from_raw_mode(metadata.mode()),
                Mode::from_raw_mode(metadata.mode()),
            );
            rustix::fs::mknodat(CWD, &target, kind, mode, metadata.rdev())?;
        }
        set_owner_and_mode(&target, &metadata)
    }
}

/// A directory may be there already; a link to one is none.
fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) => Ok(()),
        made => made,
    }
}

fn set_owner_and_mode(target: &Path, metadata: &Metadata) -> io::Result<()> {
    lchown(target, Some(metadata.uid()), Some(metadata.gid()))?;
    // After the owner: a change of owner clears setuid.
    fs::set_permissions(target, metadata.permissions())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn kept_directories_stay_empty() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::create_dir_all(from.join("kept/c")).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("a/b/file"), "text").unwrap();
        symlink("/nowhere", from.join("link")).unwrap();
        copy(&from, &to, &[Path::new("kept")]).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b/file")).unwrap(), "text");
        assert_eq!(
            fs::read_link(to.join("link")).unwrap(),
            Path::new("/nowhere")
        );
        assert!(to.join("kept").is_dir() && !to.join("kept/c").exists());
        fs::set_permissions(to.join("kept"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::remove_dir_all(to.join("a")).unwrap();
        fs::remove_file(to.join("link")).unwrap();
        copy(&from, &to, &[Path::new("kept")]).unwrap();
        let mode = fs::metadata(to.join("kept")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
        copy(&place.path().join("none"), &to, &[]).unwrap();
    }

    #[test]
    fn trees_are_laid_over_each_other() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::create_dir_all(to.join("a")).unwrap();
        fs::write(from.join("a/new"), "new").unwrap();
        fs::write(to.join("a/old"), "old").unwrap();
        copy(&from, &to, &[]).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/new")).unwrap(), "new");
        assert_eq!(fs::read_to_string(to.join("a/old")).unwrap(), "old");
        symlink("/tmp", place.path().join("link")).unwrap();
        assert!(make_directory(&place.path().join("link")).is_err());
    }
}
