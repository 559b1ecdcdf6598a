//! What the command takes from its surroundings. Nothing else reads the process's environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use kind::{HomeCandidate, windows_home};
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::directories::{Directories, Surroundings, User};

/// The variables of the process, and what else the surroundings say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// What stands around this process.
    pub(crate) fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
        }
    }

    /// An environment of these variables only.
    #[cfg(test)]
    pub(crate) fn from_variables<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        }
    }

    /// A variable, also an empty one.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
    }

    /// A variable that is set to something readable.
    pub(crate) fn text_variable(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().filter(|value| !value.is_empty())
    }

    /// A variable that holds a path.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    /// Every variable that is text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.variables.iter();
        pairs.filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// Where the user's files are.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            windows_home(|name| self.path(name), HomeCandidate::look)
        } else {
            self.path("HOME")
        }
    }

    /// Where this user's files are.
    pub(crate) fn directories(&self) -> Directories {
        let user = if rustix::process::geteuid().is_root() {
            User::Root
        } else {
            User::Ordinary
        };
        Directories::find_directories(&Surroundings {
            user,
            variable: &|name| self.path(name),
            home: self.home(),
            writable: &is_writable,
        })
    }
}

/// Whether this user can make files in a directory, or in the nearest one above it that is there.
fn is_writable(directory: &Path) -> bool {
    let existing = directory.ancestors().find(|path| path.exists());
    existing.is_some_and(|path| {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        path.is_dir() && accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
    })
}
