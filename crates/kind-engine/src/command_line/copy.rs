//! Files of nodes as tar streams.

use std::io::{Read, Write};
use std::path::Path;

use super::program::Program;
use super::{Flavor, streams};
use crate::Error;

/// Unpacks a tar stream in a node.
pub(super) fn into_node(
    flavor: Flavor,
    program: &Program,
    node: &str,
    directory: &Path,
    tar: &mut (dyn Read + Send),
) -> Result<(), Error> {
    let directory = directory.to_string_lossy();
    if flavor.copies_streams() {
        let target = format!("{node}:{directory}");
        // Podman (4.3 at least) leaves a copy of the stream among its temporary files.
        let scratch = program.scratch_directory()?;
        let program = program.with_scratch(scratch.path());
        return streams::stream_into(&program, &["cp", "-", &target], tar);
    }
    let unpack = [
        "exec",
        "--privileged",
        "-i",
        node,
        "tar",
        "-C",
        &directory,
        "-xf",
        "-",
    ];
    streams::stream_into(program, &unpack, tar)
}

/// Packs a path of a node.
pub(super) fn out_of_node(
    flavor: Flavor,
    program: &Program,
    node: &str,
    path: &Path,
    tar: &mut (dyn Write + Send),
) -> Result<(), Error> {
    if flavor.copies_streams() {
        let source = format!("{node}:{}", path.to_string_lossy());
        return streams::stream_out(program, &["cp", &source, "-"], tar);
    }
    let parent = path.parent().unwrap_or(Path::new("/")).to_string_lossy();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let pack = [
        "exec",
        "--privileged",
        node,
        "tar",
        "-C",
        &parent,
        "-cf",
        "-",
        &name,
    ];
    streams::stream_out(program, &pack, tar)
}

#[cfg(test)]
mod tests {
    use super::super::stub;
    use super::*;

    #[test]
    fn what_a_copy_leaves_among_temporary_files_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let told = directory.path().join("told");
        let script = format!("cat >$TMPDIR/left && echo $TMPDIR >{}\n", told.display());
        let program = Program::new(stub::program(directory.path(), &script));
        into_node(
            Flavor::Podman,
            &program,
            "node",
            Path::new("/"),
            &mut &b"x"[..],
        )
        .unwrap();
        let scratch = std::fs::read_to_string(told).unwrap();
        assert!(!Path::new(scratch.trim()).exists(), "{scratch}");
    }
}
