//! Server tarballs, for fuzz targets.

use std::path::Path;

use super::tarball::take_out;

/// The programs of a tarball are taken out into a directory, or it is refused. None of them is run.
pub fn take_programs(tarball: &Path, directory: &Path) {
    let _ = take_out(tarball, directory);
}
