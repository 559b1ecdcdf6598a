//! Unpacking of tar streams.

use std::fs;
use std::path::Path;

use kind_image::unpack::{Existing, Lower, Options, Ownership, into, layer, open_root};
use tar::{Builder, EntryType};

use crate::tars::{Bytes, add};

const NAMES: &[&[u8]] = &[
    b"a",
    b"a/b",
    b"a/b/c",
    b"b",
    b"b/../../out/file",
    b"../out/file",
    b"/etc/passwd",
    b".",
    b"..",
    b"",
    b"a/.wh.b",
    b".wh..wh..opq",
    b"a/.wh..wh..opq",
    b".wh.file",
    b"file",
    b".wh...",
    b"link",
    b"link/file",
    b"./a//b",
];
const LINKS: &[&[u8]] = &[
    b"a",
    b"../out",
    b"../out/file",
    b"/",
    b"..",
    b"/proc/self/root",
    b"b",
    b"link",
    b"",
    b"a/b",
    b"file",
];
const KINDS: &[EntryType] = &[
    EntryType::Regular,
    EntryType::Directory,
    EntryType::Symlink,
    EntryType::Link,
    EntryType::Char,
    EntryType::Fifo,
    EntryType::GNULongName,
    EntryType::XHeader,
    EntryType::GNUSparse,
];

/// Nothing is ever made, changed or removed outside the target directory.
pub fn unpack(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut options = Options::layer();
    options.ownership = Ownership::Caller;
    options.devices = false;
    options.max_entries = 64;
    options.max_bytes = 1 << 16;
    let style = bytes.byte();
    let living = style & 1 != 0;
    if living {
        options.existing = Existing::Keep;
    }
    let tar = if style & 2 != 0 {
        bytes.0.to_vec()
    } else {
        made(bytes)
    };

    let place = tempfile::tempdir().expect("there is a temporary directory");
    let (root, out) = (place.path().join("root"), place.path().join("out"));
    for directory in [&root, &out] {
        fs::create_dir(directory).expect("the directory is new");
    }
    fs::write(out.join("file"), "outside").expect("the directory is ours");
    let target = open_root(&root).expect("the directory is there");
    // A layer is unpacked above one whose content is not to change either.
    let _ = if living {
        into(&target, &tar[..], &options)
    } else {
        layer(
            &target,
            &Lower::open_layers(&[&out]).expect("the directory is there"),
            &tar[..],
            &options,
        )
    };
    assert_eq!(listing(place.path()), ["out", "root"]);
    assert_eq!(listing(&out), ["file"]);
    assert_eq!(fs::read(out.join("file")).expect("it is there"), b"outside");
    let kind = fs::symlink_metadata(out.join("file")).expect("it is there");
    assert!(kind.is_file());
}

fn made(mut bytes: Bytes<'_>) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    while !bytes.is_empty() {
        let kind = KINDS[usize::from(bytes.byte()) % KINDS.len()];
        let name = match bytes.byte() {
            choice if usize::from(choice) < 4 * NAMES.len() => {
                NAMES[usize::from(choice) % NAMES.len()]
            }
            _ => bytes.take(20),
        };
        let link = bytes.pick(LINKS);
        let content = bytes.take(16);
        add(&mut tar, kind, name, link, content);
    }
    tar.into_inner().unwrap_or_default()
}

fn listing(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory is there");
    let mut names: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
