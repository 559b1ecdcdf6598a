//! What nodes say to the host, and the host to nodes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kind::fuzzing;
use kind_node::request::{Event, Request};
use tar::{Builder, EntryType};

use crate::tars::{Bytes, add};

/// A node's kubeconfig is taken or refused; nothing that does harm is taken.
pub fn admin_kubeconfig(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        fuzzing::read_admin_kubeconfig(text);
    }
}

/// A line of a node is an event or none, and a request is one or none; what is read is written and read again.
pub fn node_messages(data: &[u8]) {
    if let Ok(event) = serde_json::from_slice::<Event>(data) {
        let written = serde_json::to_string(&event).expect("an event is plain data");
        serde_json::from_str::<Event>(&written).expect("what was written is read");
    }
    if let Ok(request) = serde_json::from_slice::<Request>(data) {
        let written = serde_json::to_string(&request).expect("a request is plain data");
        serde_json::from_str::<Request>(&written).expect("what was written is read");
    }
}

const NAMES: &[&[u8]] = &[
    b"pods/a/0.log",
    b"containers/a.log",
    b"./journal",
    b"../out/file",
    b"/rooted",
    b"a",
    b"a/b",
    b"",
    b".",
];
const LINKS: &[&[u8]] = &[
    b"/var/log/pods/a/0.log",
    b"../out/file",
    b"../../out/file",
    b"/etc/passwd",
    b"a",
    b"..",
    b"/",
];
const KINDS: &[EntryType] = &[
    EntryType::Regular,
    EntryType::Directory,
    EntryType::Symlink,
    EntryType::Link,
    EntryType::GNULongName,
    EntryType::XHeader,
    EntryType::Char,
];

/// A node's logs become files of their user's alone, below their directory, and nothing else changes.
pub fn node_logs(data: &[u8]) {
    let mut bytes = Bytes(data);
    let tar = if bytes.byte() & 1 == 0 {
        bytes.0.to_vec()
    } else {
        made(bytes)
    };
    let place = tempfile::tempdir().expect("there is a temporary directory");
    let outside = place.path().join("out");
    fs::create_dir(&outside).expect("the directory is new");
    fs::write(outside.join("file"), "outside").expect("the directory is new");
    let directory = place.path().join("logs");
    fuzzing::unpack_logs(&tar[..], &directory);
    fuzzing::read_node_files(&tar[..]);
    let kept = fs::read(outside.join("file")).expect("it stays");
    assert_eq!(kept, b"outside");
    assert!(fs::read_dir(place.path()).expect("it is there").count() <= 2);
    assert_private(&directory);
}

fn assert_private(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let found = fs::symlink_metadata(entry.path()).expect("it was listed");
        let expected = if found.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(found.permissions().mode() & 0o7777, expected, "{entry:?}");
        assert!(found.is_dir() || found.is_file(), "{entry:?}");
        if found.is_dir() {
            assert_private(&entry.path());
        }
    }
}

fn made(mut bytes: Bytes<'_>) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    while !bytes.is_empty() {
        let kind = KINDS[usize::from(bytes.byte()) % KINDS.len()];
        let (name, link) = (bytes.pick(NAMES), bytes.pick(LINKS));
        let content = bytes.take(200);
        let content = if kind.is_dir() || kind.is_symlink() {
            &[][..]
        } else {
            content
        };
        add(&mut tar, kind, name, link, content);
    }
    tar.into_inner().unwrap_or_default()
}
