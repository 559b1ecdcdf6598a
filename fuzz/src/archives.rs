//! Image archives.

use kind_image::archive::{self, Archive};
use kind_image::oci::Platform;
use kind_image::store::Store;
use tar::{Builder, EntryType};

use crate::tars::{Bytes, add};

/// SHA-256 of nothing and of `{}`, as names of content.
const NAMES: &[&[u8]] = &[
    b"manifest.json",
    b"index.json",
    b"oci-layout",
    b"repositories",
    b"blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"blobs/sha256/44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    b"blobs/sha256/../../x",
    b"layer.tar",
];

/// Archives are read or refused, from a stream and into a store.
pub fn archive(data: &[u8]) {
    let mut bytes = Bytes(data);
    let tar = if bytes.byte() & 1 != 0 {
        bytes.0.to_vec()
    } else {
        made(bytes)
    };
    let place = tempfile::tempdir().expect("there is a temporary directory");
    if let Ok(received) = Archive::receive_stream(&tar[..], place.path()) {
        let _ = received.images(&Platform::new("linux", "amd64"));
    }
    let store = Store::open(&place.path().join("store")).expect("the directory is new");
    let _ = archive::read(&store, &tar[..]);
}

fn made(mut bytes: Bytes<'_>) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    while !bytes.is_empty() {
        let name = bytes.pick(NAMES);
        let high = usize::from(bytes.byte() & 3) << 8;
        let length = (high + usize::from(bytes.byte())).min(bytes.0.len());
        let (content, rest) = bytes.0.split_at(length);
        bytes.0 = rest;
        add(&mut tar, EntryType::Regular, name, b"", content);
    }
    tar.into_inner().unwrap_or_default()
}
