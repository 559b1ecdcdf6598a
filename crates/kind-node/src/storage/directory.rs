//! The directories of volumes: all of them directly below one base directory.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::{self, CWD, Mode, OFlags};

use super::Error;

/// The longest file name of the file systems in use.
const LONGEST: usize = 255;

/// A name that means one directory below the base and nothing else, whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// The name, if it is one.
    pub(super) fn new(name: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let valid = name.len() <= LONGEST
            && name.bytes().all(plain)
            // Also keeps `.`, `..` and hidden directories out.
            && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        valid.then(|| Self(name.to_owned()))
    }

    /// The name as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a volume's directory, for pods of any user; one that exists is taken as it is.
pub(super) fn make_directory(base: &Path, name: &Name) -> Result<(), Error> {
    try_make(base, name).map_err(|source| failed("make", name, source))
}

fn try_make(base: &Path, name: &Name) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let base = fs::openat(CWD, base, flags, Mode::empty())?;
    match fs::mkdirat(&base, name.as_str(), Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let directory = fs::openat(&base, name.as_str(), flags, Mode::empty())?;
    // Set apart from its making, so that the umask has no say.
    fs::fchmod(&directory, Mode::from_raw_mode(0o777))?;
    // A volume that is announced survives a power cut.
    File::from(base).sync_all()
}

/// Removes a volume's directory with everything in it; symbolic links are removed, not followed.
/// One that does not exist is no error.
pub(super) fn remove_directory(base: &Path, name: &Name) -> Result<(), Error> {
    match std::fs::remove_dir_all(base.join(name.as_str())) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", name, error)),
        _ => Ok(()),
    }
}

fn failed(action: &'static str, name: &Name, source: io::Error) -> Error {
    Error::Directory {
        action,
        name: name.0.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directories_are_made_for_everyone_and_made_once() {
        let base = tempfile::tempdir().unwrap();
        let name = Name::new("pvc-1_default_data").unwrap();
        make_directory(base.path(), &name).unwrap();
        std::fs::write(base.path().join("pvc-1_default_data/file"), "x").unwrap();
        make_directory(base.path(), &name).unwrap();
        let metadata = std::fs::metadata(base.path().join(name.as_str())).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o777);
        remove_directory(base.path(), &name).unwrap();
        remove_directory(base.path(), &name).unwrap();
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn links_are_not_followed() {
        let base = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let precious = outside.path().join("precious");
        std::fs::write(&precious, "x").unwrap();
        let name = Name::new("pvc-1").unwrap();

        // In the place of the directory.
        symlink(outside.path(), base.path().join("pvc-1")).unwrap();
        assert!(make_directory(base.path(), &name).is_err());
        let _ = remove_directory(base.path(), &name);
        assert!(precious.exists());
        let _ = std::fs::remove_file(base.path().join("pvc-1"));

        // Within it.
        make_directory(base.path(), &name).unwrap();
        symlink(outside.path(), base.path().join("pvc-1/link")).unwrap();
        remove_directory(base.path(), &name).unwrap();
        assert!(precious.exists());
        assert!(!base.path().join("pvc-1").exists());
    }

    #[test]
    fn names_are_single_and_plain() {
        for name in [
            "", ".", "..", "a/b", "/etc", ".hidden", "a\0b", "a b", "-x", "ä",
        ] {
            assert_eq!(Name::new(name), None, "{name:?}");
        }
        assert!(Name::new(&"x".repeat(255)).is_some());
        assert!(Name::new(&"x".repeat(256)).is_none());
    }

    proptest! {
        #[test]
        fn no_name_leaves_the_base(text in "\\PC{0,40}") {
            if let Some(name) = Name::new(&text) {
                let path = Path::new("/base").join(name.as_str());
                prop_assert_eq!(path.parent(), Some(Path::new("/base")));
            }
        }
    }
}
