//! Programs of the host that root runs: which of those of a name.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const WRITABLE_BY_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// A program of the host. Root takes it only from where nobody else could have put it.
pub fn host_program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", search_path());
    command
}

/// The caller's directories of programs; for root, those that only root can change. A process that sees no file of root's
/// as such is in a user namespace, and has nothing to lose.
pub fn search_path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    if !rustix::process::geteuid().is_root() || !is_roots(Path::new("/")) {
        return path;
    }
    safe_directories(&path)
}

fn safe_directories(path: &OsStr) -> OsString {
    let directories: Vec<PathBuf> = env::split_paths(path)
        .filter(|path| is_safe(path))
        .collect();
    env::join_paths(directories).unwrap_or_default()
}

/// Whether a directory, and every one that it is in, is root's.
fn is_safe(directory: &Path) -> bool {
    directory.is_absolute()
        && fs::canonicalize(directory).is_ok_and(|path| path.ancestors().all(is_roots))
}

/// Whether it is root's, and nobody else can put another thing in the place of what is there.
fn is_roots(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| {
        let is_shared = found.mode() & WRITABLE_BY_OTHERS != 0;
        found.uid() == 0 && (!is_shared || found.mode() & STICKY != 0)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use kind_testkit::machine::require_root;

    use super::*;

    #[test]
    fn root_takes_programs_only_from_where_nobody_else_can_put_any() {
        require_root();
        let place = tempfile::tempdir().unwrap();
        let directory = |name: &str| {
            let path = place.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let (own, shared, others) = (directory("own"), directory("shared"), directory("others"));
        fs::set_permissions(&shared, PermissionsExt::from_mode(0o777)).unwrap();
        chown(&others, Some(65_534), None).unwrap();
        let below = others.join("below");
        fs::create_dir(&below).unwrap();
        let link = place.path().join("link");
        symlink(&below, &link).unwrap();
        let missing = place.path().join("missing");
        let all = [
            &own,
            &shared,
            &others,
            &below,
            &link,
            &missing,
            &PathBuf::from("."),
        ];
        let path = env::join_paths(all).unwrap();
        assert_eq!(safe_directories(&path), own.as_os_str());
    }
}
