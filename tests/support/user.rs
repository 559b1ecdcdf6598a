//! Users of the host who are not root. Nobody has to know them: a number is enough.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

/// The group that may use docker's socket. A number is enough.
pub(crate) const SOCKET_GROUP: u32 = 61_616;

/// A user who may use docker's socket, as one in group `docker` on a usual host.
#[derive(Debug, Clone, Copy)]
pub struct User {
    id: u32,
}

/// A number that no host has given to anybody.
const ORDINARY: u32 = 61_617;

impl User {
    /// A user like any other.
    pub const ORDINARY: Self = Self { id: ORDINARY };

    /// The user's number, which is also the number of the user's own group.
    pub fn id(self) -> u32 {
        self.id
    }

    /// A program that this user runs, with nothing of root's left.
    pub fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", self.id))
            .arg(format!("--regid={}", self.id))
            .arg(format!("--groups={SOCKET_GROUP}"))
            .args(["--inh-caps=-all", "--no-new-privs"])
            .arg(program);
        command
    }

    /// Makes a directory of this user's.
    ///
    /// # Panics
    /// If it cannot be made, or given away.
    pub fn make_directory(self, path: &Path) {
        fs::create_dir_all(path).expect("a directory");
        self.give(path);
    }

    /// Makes a file or directory this user's own, and nobody else's.
    ///
    /// # Panics
    /// If it cannot be given away.
    pub fn give(self, path: &Path) {
        chown(path, Some(self.id), Some(self.id)).expect("a new owner");
    }

    /// Puts a copy of a program where any user can run it, once.
    ///
    /// # Panics
    /// If it cannot be copied.
    pub(crate) fn copy_program(program: &Path, copy: &Path) {
        if copy.exists() {
            return;
        }
        fs::create_dir_all(copy.parent().expect("a directory")).expect("a directory");
        fs::copy(program, copy).expect("a copy of the program");
        fs::set_permissions(copy, fs::Permissions::from_mode(0o755)).expect("a program");
    }
}
