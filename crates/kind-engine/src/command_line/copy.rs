//! Files of nodes as tar streams.

use std::borrow::Cow;
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
        // Podman (4.3 at least) leaves a copy of the stream among its temporary files.
        let scratch = program.scratch_directory()?;
        let program = program.with_scratch(scratch.path());
        return streams::into(&program, &["cp", "-", &target], tar);
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

/// Where a node that fills its `/var` at its first start looks for files that belong there: engines do not
/// agree on whether a volume is there before.
const GIVEN_VAR: &str = "kind/given-var";

/// Files for the root of a node that fills its `/var` at its first start.
pub(super) fn before_var(tar: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let mut builder = tar::Builder::new(Vec::new());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?;
        let path = path.strip_prefix("/").unwrap_or(&path);
        let path = match path.strip_prefix("var") {
            Ok(rest) => Path::new(GIVEN_VAR).join(rest),
            Err(_) => path.to_owned(),
        };
        let mut header = entry.header().clone();
        match entry.link_name()?.map(Cow::into_owned) {
            Some(target) => builder.append_link(&mut header, path, target)?,
            None => builder.append_data(&mut header, path, &mut entry)?,
        }
    }
    builder.into_inner()
}

/// A program as the first entries of a tar stream that goes on with others.
pub(super) fn program_entries(target: &str, content: &[u8]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    builder.append_data(&mut header, target.trim_start_matches('/'), content)?;
    // Without the end mark, which the rest of the stream brings.
    let mut entries = builder.into_inner()?;
    entries.truncate(entries.len().saturating_sub(END_OF_TAR.len()));
    Ok(entries)
}

/// Two empty blocks end a tar stream.
pub(super) const END_OF_TAR: [u8; 1024] = [0; 1024];

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
        let parts = (Flavor::Podman, &program);
        into_node(parts, "node", Path::new("/"), &mut &b"x"[..]).unwrap();
        let scratch = std::fs::read_to_string(told).unwrap();
        assert!(!Path::new(scratch.trim()).exists(), "{scratch}");
    }

    #[test]
    fn a_program_goes_before_other_files() {
        let first = program_entries("/kind/bin/kind-node", b"text").unwrap();
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

    #[test]
    fn files_below_var_wait_beside_it() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o600);
        let long = format!("var/lib/{}", "a".repeat(120));
        for path in ["etc/a", "var/lib/b", "various/c", &long] {
            builder.append_data(&mut header, path, &b"x"[..]).unwrap();
        }
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        builder
            .append_link(&mut link, "var/lib/d", "/var/lib/b")
            .unwrap();
        let stream = before_var(&mut &builder.into_inner().unwrap()[..]).unwrap();
        let mut archive = tar::Archive::new(&stream[..]);
        let mut paths = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            paths.push(entry.path().unwrap().display().to_string());
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            match entry.link_name().unwrap() {
                Some(target) => assert_eq!(target, Path::new("/var/lib/b")),
                None => assert_eq!(
                    (content.as_str(), entry.header().mode().unwrap()),
                    ("x", 0o600)
                ),
            }
        }
        let long = format!("kind/given-{long}");
        let expected = [
            "etc/a",
            "kind/given-var/lib/b",
            "various/c",
            &long,
            "kind/given-var/lib/d",
        ];
        assert_eq!(paths, expected);
    }
}
