//! What nodes take of the disk.

use std::path::Path;
use std::process::Command;

use crate::Failure;
use crate::shell;

/// Bytes of the disk below a directory, without what is mounted there.
pub(super) fn usage(directory: &Path) -> Result<u64, Failure> {
    let mut command = Command::new("du");
    command.args(["--one-file-system", "--block-size=1", "--summarize"]);
    let text = shell::output(command.arg(directory))?;
    let bytes = text.split_whitespace().next().ok_or("du says nothing")?;
    Ok(bytes.parse()?)
}
