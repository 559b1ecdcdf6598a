//! Which kubeconfig files count.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What to do where a kubeconfig cannot be written.
pub(super) const ANOTHER_FILE: &str = "choose another file with `--kubeconfig` or KUBECONFIG";

/// The user's kubeconfig files, in order. There is always at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeconfigFiles {
    paths: Vec<PathBuf>,
}

impl KubeconfigFiles {
    /// Exactly one file.
    pub fn one(path: impl Into<PathBuf>) -> Self {
        Self {
            paths: vec![path.into()],
        }
    }

    /// What kubectl would use: the explicit file if there is one, else the files listed in the
    /// variable `KUBECONFIG`, else `.kube/config` in the home directory. `None` if nothing says
    /// where the home directory is.
    pub fn find(
        explicit: Option<&Path>,
        variable: Option<&OsStr>,
        home: Option<&Path>,
    ) -> Option<Self> {
        if let Some(path) = explicit.filter(|path| !path.as_os_str().is_empty()) {
            return Some(Self::one(path));
        }
        let mut paths: Vec<PathBuf> = Vec::new();
        for path in variable.map(std::env::split_paths).into_iter().flatten() {
            if !path.as_os_str().is_empty() && !paths.contains(&path) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            paths.push(home?.join(".kube").join("config"));
        }
        Some(Self { paths })
    }

    /// All files; a cluster's entry is removed from each.
    pub fn all(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The file that a cluster's entry is written to: the first that exists, else the last.
    pub fn write_target(&self) -> &Path {
        let existing = self
            .paths
            .iter()
            .find(|path| path.metadata().is_ok_and(|found| !found.is_dir()));
        existing
            .or(self.paths.last())
            .expect("there is always at least one file")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(explicit: Option<&str>, variable: Option<&str>, home: Option<&str>) -> Vec<String> {
        let files = KubeconfigFiles::find(
            explicit.map(Path::new),
            variable.map(OsStr::new),
            home.map(Path::new),
        );
        let paths = files.map(|files| files.paths).unwrap_or_default();
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    }

    #[cfg(unix)]
    #[test]
    fn files_are_found_as_kubectl_does() {
        assert_eq!(found(Some("foo"), Some("/bar"), Some("/home")), ["foo"]);
        assert_eq!(
            found(None, Some("/foo:/bar::/foo:/bar"), None),
            ["/foo", "/bar"]
        );
        assert_eq!(
            found(Some(""), Some("::"), Some("/home")),
            ["/home/.kube/config"]
        );
        assert_eq!(found(None, None, Some("/home")), ["/home/.kube/config"]);
        assert!(found(None, None, None).is_empty());
    }

    #[test]
    fn the_first_existing_file_is_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let files = KubeconfigFiles {
            paths: vec![path("foo"), path("bar"), path("baz")],
        };
        assert_eq!(files.write_target(), path("baz"));
        // A directory is no file, and one below a file cannot be looked into.
        std::fs::create_dir(path("foo")).unwrap();
        std::fs::write(path("bar"), "").unwrap();
        let behind = KubeconfigFiles {
            paths: vec![path("bar/deep"), path("bar")],
        };
        assert_eq!(behind.write_target(), path("bar"));
        std::fs::write(path("baz"), "").unwrap();
        assert_eq!(files.write_target(), path("bar"));
    }
}
