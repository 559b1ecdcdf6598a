//! Where everything is kept that conformance tests make.

use std::path::PathBuf;

use crate::programs;

/// All of it.
pub(super) fn directory() -> PathBuf {
    programs::directory().join("conformance")
}

/// What the cluster needs.
pub(super) fn cluster_directory() -> PathBuf {
    directory().join("cluster")
}
