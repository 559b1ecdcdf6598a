//! Small crates for the tests of what is measured.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::source::{Source, read_crate};

/// The files of a crate whose root is `lib.rs`.
pub(super) struct Sources(TempDir);

impl Sources {
    /// Writes files, each a path and its text.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(directory)
    }

    /// Where they are.
    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Reads them as a crate of the product.
    pub(super) fn read(&self) -> Vec<Source> {
        read_crate(&self.0.path().join("lib.rs"), false).unwrap()
    }
}

/// Reads a crate of one file.
pub(super) fn source_of(text: &str) -> Source {
    Sources::new(&[("lib.rs", text)]).read().remove(0)
}
