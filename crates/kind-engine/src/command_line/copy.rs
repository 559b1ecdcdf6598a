//! Files of nodes as tar streams.

use std::io::{self, Read, Write};
use std::path::Path;

use super::program::Program;
use super::{Flavor, streams};
use crate::Error;

/// Unpacks a tar stream in a node.
pub(super) fn into_node(
    (flavor, program): (Flavor, &Program),
    node: &str,
    directory: &Path,
    tar: &mut (dyn Read + Send),
) -> Result<(), Error> {
    let directory = directory.to_string_lossy();
    if flavor.copies_streams() {
        let target = format!("{node}:{directory}");
        return streams::into(program, &["cp", "-", &target], tar);
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
    streams::into(program, &unpack, tar)
}

/// Packs a path of a node.
pub(super) fn out_of_node(
    (flavor, program): (Flavor, &Program),
    node: &str,
    path: &Path,
    tar: &mut (dyn Write + Send),
) -> Result<(), Error> {
    if flavor.copies_streams() {
        let source = format!("{node}:{}", path.to_string_lossy());
        return streams::out(program, &["cp", &source, "-"], tar);
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
    streams::out(program, &pack, tar)
}

/// A program as the first entries of a tar stream that goes on with others.
pub(super) fn program_entries(target: &str, file: &Path) -> io::Result<Vec<u8>> {
    let content = std::fs::read(file)?;
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    builder.append_data(&mut header, target.trim_start_matches('/'), &content[..])?;
    // Without the end mark, which the rest of the stream brings.
    let mut entries = builder.into_inner()?;
    entries.truncate(entries.len().saturating_sub(END_OF_TAR.len()));
    Ok(entries)
}

/// Two empty blocks end a tar stream.
pub(super) const END_OF_TAR: [u8; 1024] = [0; 1024];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_goes_before_other_files() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("program");
        std::fs::write(&file, "text").unwrap();
        let first = program_entries("/kind/bin/kind-node", &file).unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        builder
            .append_data(&mut header, "etc/a", &b"b"[..])
            .unwrap();
        let stream = [first, builder.into_inner().unwrap()].concat();
        let mut archive = tar::Archive::new(&stream[..]);
        let names: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["kind/bin/kind-node", "etc/a"]);
    }
}
