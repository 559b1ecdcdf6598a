//! Content that survives a power cut.

use std::fs::File;
use std::path::Path;

use crate::Error;

/// Waits until everything written below `directory` so far is on the disk.
///
/// Called before a finished directory gets the name under which it counts as whole: without it, a power
/// cut could leave the name with half of the content.
pub(crate) fn flush_tree(directory: &Path) -> Result<(), Error> {
    let file = File::open(directory).map_err(Error::path("open", directory))?;
    rustix::fs::syncfs(file).map_err(Error::path("write to disk", directory))
}
