//! Files of a node as tar streams.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use kind_engine::Engine;
use kind_image::concurrent::run_piped;
use kind_image::unpack::{Kind, drain_padding, each_entry};
use kind_kubeadm::certificates::{Content, NodeFile};

use crate::{Code, Error, Result};

/// A file to put into a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Absolute path in the node.
    pub(crate) path: String,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Content.
    pub(crate) text: String,
    /// It is a symbolic link, and its text where it leads.
    pub(crate) link: bool,
}

impl File {
    /// A file that everybody in the node may read.
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            mode: 0o644,
            text: text.into(),
            link: false,
        }
    }
}

impl From<NodeFile> for File {
    fn from(file: NodeFile) -> Self {
        let (text, link) = match file.content {
            Content::Link(target) => (target, true),
            Content::Text(text) => (text, false),
        };
        Self {
            path: file.path,
            mode: file.mode,
            text,
            link,
        }
    }
}

/// Packs files as a tar stream to unpack at `/`.
pub(crate) fn pack_files(files: &[File]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(file.mode);
        header.set_uid(0);
        header.set_gid(0);
        let path = file.path.trim_start_matches('/');
        if file.link {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, path, &file.text)?;
            continue;
        }
        header.set_size(file.text.len() as u64);
        builder.append_data(&mut header, path, file.text.as_bytes())?;
    }
    builder.into_inner()
}

/// Puts files into a node.
pub(crate) fn copy_in(engine: &dyn Engine, node: &str, files: &[File]) -> Result<()> {
    let tar = pack_files(files).map_err(kind_engine::Error::io("packing files"));
    tar.and_then(|tar| engine.copy_in(node, "/".as_ref(), &mut &tar[..]))
        .map_err(Error::engine(
            Code::NodeFiles,
            format!("failed to write files into node {node:?}"),
        ))
}

/// Bytes that are read of one file of a node: the largest are manifests.
const MAX_FILE: u64 = 4 << 20;
/// Bytes that are read of all files below a directory.
const MAX_TREE: u64 = 16 << 20;

/// The text files below a directory of a node that need not run, by their path below it. Files
/// above `limit` bytes and files that are not text are left out.
pub(crate) fn read_tree(
    engine: &dyn Engine,
    node: &str,
    directory: &str,
    limit: u64,
) -> Result<BTreeMap<String, String>> {
    let failed = || format!("failed to read {directory} of node {node:?}");
    let mut tree = Tree {
        limit,
        read: 0,
        files: BTreeMap::new(),
    };
    let mut keep = |path: &Path, size: u64, content: &mut dyn Read| tree.keep(path, size, content);
    copy_out(engine, node, directory, &mut keep)
        .map_err(Error::engine(Code::NodeFiles, failed()))?;
    Ok(tree.files)
}

/// The text files of a tar stream, within the usual bounds.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_stream(stream: impl Read) -> std::io::Result<BTreeMap<String, String>> {
    let mut tree = Tree {
        limit: MAX_FILE,
        read: 0,
        files: BTreeMap::new(),
    };
    each_file(stream, &mut |path, size, content| {
        tree.keep(path, size, content)
    })?;
    Ok(tree.files)
}

/// Text files that are being read.
struct Tree {
    /// Larger files are left out.
    limit: u64,
    /// Bytes of what was read.
    read: u64,
    files: BTreeMap<String, String>,
}

impl Tree {
    fn keep(&mut self, path: &Path, size: u64, content: &mut dyn Read) -> std::io::Result<()> {
        if size > self.limit {
            return Ok(());
        }
        // Names count too: there may be any number of empty files.
        self.read += size + path.as_os_str().len() as u64;
        if self.read > MAX_TREE {
            return Err(too_large());
        }
        let mut text = String::new();
        if content.take(self.limit).read_to_string(&mut text).is_ok() {
            let below: Vec<_> = path
                .iter()
                .skip(1)
                .filter_map(|part| part.to_str())
                .collect();
            self.files.insert(below.join("/"), text);
        }
        Ok(())
    }
}

/// One text file of a node that need not run.
pub(crate) fn read_file(engine: &dyn Engine, node: &str, path: &str) -> Result<String> {
    let failed = || format!("failed to read {path} of node {node:?}");
    let mut text = String::new();
    let mut keep = |_: &Path, size: u64, content: &mut dyn Read| -> std::io::Result<()> {
        if size > MAX_FILE {
            return Err(too_large());
        }
        text.clear();
        content.take(MAX_FILE).read_to_string(&mut text).map(drop)
    };
    copy_out(engine, node, path, &mut keep).map_err(Error::engine(Code::NodeFiles, failed()))?;
    Ok(text)
}

fn too_large() -> std::io::Error {
    std::io::ErrorKind::FileTooLarge.into()
}

type Keep<'a> = &'a mut dyn FnMut(&Path, u64, &mut dyn Read) -> std::io::Result<()>;

/// Gives every regular file of the stream to `keep`.
fn copy_out(
    engine: &dyn Engine,
    node: &str,
    path: &str,
    keep: Keep<'_>,
) -> std::result::Result<(), kind_engine::Error> {
    let piped = run_piped(
        |mut writer| engine.copy_out(node, Path::new(path), &mut writer),
        |reader| each_file(reader, keep),
    );
    let (copied, read) = piped.map_err(kind_engine::Error::io("pipe"))?;
    // A node that has too much is why it could not send all of it.
    if let Err(error) = &read
        && error.kind() == std::io::ErrorKind::FileTooLarge
    {
        return read.map_err(kind_engine::Error::io("reading the tar stream"));
    }
    copied?;
    read.map_err(kind_engine::Error::io("reading the tar stream"))
}

fn each_file(mut reader: impl Read, keep: Keep<'_>) -> std::io::Result<()> {
    each_entry(&mut reader, |item, content| match item.kind {
        Kind::File => keep(&item.path, item.size, content),
        _ => Ok(()),
    })?;
    // The engine would fail to write the padding after the end if nobody read it.
    drain_padding(&mut reader)
}

#[cfg(test)]
mod tests {
    use kind_engine::fake::Fake;

    use super::*;

    #[test]
    fn a_node_cannot_fill_the_memory() {
        let large = "x".repeat(5 << 20);
        let files = [("/kind/version", large.as_str()), ("/kind/a", "a")];
        let engine = Fake::new(&files, Box::new(|_, _, _| Ok(0)));
        let error = read_file(&engine, "n", "/kind/version").unwrap_err();
        assert_eq!(error.code(), Code::NodeFiles);
        let files = read_tree(&engine, "n", "/kind", 1 << 20).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a"]);
        assert!(read_tree(&engine, "n", "/kind", 100 << 20).is_ok());
        let many: Vec<_> = (0..4)
            .map(|n| (format!("/kind/{n}"), large.clone()))
            .collect();
        let many: Vec<_> = many.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        let engine = Fake::new(&many, Box::new(|_, _, _| Ok(0)));
        assert!(read_tree(&engine, "n", "/kind", 100 << 20).is_err());
    }

    #[test]
    fn packed_files_come_out_again() {
        let files = [
            File::new("/kind/version", "v1.2.3"),
            File::new("/etc/a", "b"),
        ];
        let bytes = pack_files(&files).unwrap();
        let mut seen = Vec::new();
        let mut keep = |path: &Path, size: u64, content: &mut dyn Read| {
            let mut text = String::new();
            content.read_to_string(&mut text)?;
            seen.push((path.display().to_string(), size, text));
            Ok(())
        };
        each_file(&bytes[..], &mut keep).unwrap();
        let expected = [("kind/version", "v1.2.3"), ("etc/a", "b")];
        let expected = expected.map(|(p, t)| (p.to_owned(), t.len() as u64, t.to_owned()));
        assert_eq!(seen, expected);
    }
}
