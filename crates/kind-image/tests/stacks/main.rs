//! Stacks of random layers: what a real overlay mount shows of them is what the OCI image specification says.
//! Needs root.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod model;
mod real;

use std::path::{Path, PathBuf};

use kind_image::unpack::{self, Lower, Options};
use kind_testkit::machine::require_root;
use model::{Attributes, Entry, Layer, Node, TARGETS, Tree};
use proptest::prelude::*;
use tempfile::TempDir;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn path() -> impl Strategy<Value = PathBuf> {
    let name = proptest::sample::select(&NAMES[..]);
    proptest::collection::vec(name, 1..4).prop_map(|parts| parts.iter().collect())
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let mode = proptest::sample::select(vec![0o755, 0o700, 0o1777, 0o2711, 0o4755]);
    let note = proptest::option::of(any::<u8>());
    (mode, 0..3_u32, 1..1_000_000_i64, note).prop_map(|(mode, owner, mtime, note)| Attributes {
        mode,
        owner,
        mtime,
        note,
    })
}

/// Pipes have no attributes of users.
fn plain() -> impl Strategy<Value = Attributes> {
    attributes().prop_map(|attributes| Attributes {
        note: None,
        ..attributes
    })
}

fn entry() -> impl Strategy<Value = (PathBuf, Entry)> {
    let target = proptest::sample::select(&TARGETS[..]);
    let entry = prop_oneof![
        4 => attributes().prop_map(Entry::Directory),
        4 => (attributes(), any::<u8>()).prop_map(|(attributes, content)| Entry::File(attributes, content)),
        1 => target.prop_map(Entry::Symlink),
        1 => plain().prop_map(Entry::Fifo),
        2 => path().prop_map(Entry::HardLink),
        2 => Just(Entry::Whiteout),
    ];
    let opaque = prop_oneof![4 => path(), 1 => Just(PathBuf::new())];
    prop_oneof![
        10 => (path(), entry),
        1 => opaque.prop_map(|path| (path, Entry::Opaque)),
    ]
}

fn layers() -> impl Strategy<Value = Vec<Layer>> {
    let layer = proptest::collection::vec(entry(), 0..9);
    proptest::collection::vec(layer, 1..5)
}

/// Unpacks a layer above others; whether it was not refused.
fn unpack(below: &[PathBuf], directory: &Path, layer: &Layer) -> bool {
    std::fs::create_dir(directory).unwrap();
    let (root, lower) = (
        unpack::open_root(directory).unwrap(),
        Lower::open_layers(below).unwrap(),
    );
    unpack::layer(
        root,
        &lower,
        real::archive(layer).as_slice(),
        &Options::layer(),
    )
    .is_ok()
}

/// Nobody says what a directory looks like that no layer lists, except its mode and owner.
fn compare(expected: &Tree, shown: &Tree) {
    let with_default = |(path, node): (&PathBuf, &Node)| {
        let node = match (node, shown.get(path)) {
            (Node::Directory(None), Some(Node::Directory(Some(shown)))) => {
                Node::Directory(Some(Attributes {
                    mode: 0o755,
                    owner: 0,
                    mtime: shown.mtime,
                    note: None,
                }))
            }
            _ => node.clone(),
        };
        (path.clone(), node)
    };
    let expected: Tree = expected.iter().map(with_default).collect();
    assert_eq!(&expected, shown);
}

fn check(layers: &[Layer]) {
    let place = TempDir::new().unwrap();
    let mut expected = Tree::new();
    let mut unpacked = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let aside = place.path().join(format!("refused-{number}"));
        let accepted = model::apply(&expected, layer).is_some();
        assert_eq!(unpack(&unpacked, &aside, layer), accepted, "{layer:?}");
        let layer = model::without_refused(&expected, layer);
        expected = model::apply(&expected, &layer).unwrap();
        let directory = place.path().join(number.to_string());
        assert!(unpack(&unpacked, &directory, &layer), "{layer:?}");
        unpacked.push(directory);
        compare(&expected, &real::shown(&unpacked, place.path()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn an_overlay_shows_what_the_layers_say(layers in layers()) {
        require_root();
        check(&layers);
    }
}
