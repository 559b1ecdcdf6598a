//! Packing: the same bytes for the same tree, and nothing lost on the way.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{contents, path};
use crate::unpack::{Options, Ownership, into, open_root};

fn packed(root: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    contents(open_root(root).unwrap(), &mut bytes).unwrap();
    bytes
}

fn options() -> Options {
    let mut options = Options::layer();
    if !rustix::process::geteuid().is_root() {
        options.ownership = Ownership::Caller;
    }
    options
}

fn names(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect()
}

#[test]
fn a_tree_comes_out_sorted_with_its_links() {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("b")).unwrap();
    fs::write(root.path().join("b/two"), "2").unwrap();
    fs::hard_link(root.path().join("b/two"), root.path().join("a")).unwrap();
    symlink("../outside", root.path().join("c")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    let tar = packed(root.path());
    assert_eq!(names(&tar), ["a", "b/", "b/two", "c"]);
    assert_eq!(tar, packed(root.path()));
}

#[test]
fn one_path_goes_under_its_base_name() {
    let root = TempDir::new().unwrap();
    fs::create_dir_all(root.path().join("etc/kubernetes")).unwrap();
    fs::write(root.path().join("etc/kubernetes/admin.conf"), "x").unwrap();
    symlink("/etc", root.path().join("settings")).unwrap();
    let pack = |name: &str| {
        let mut bytes = Vec::new();
        path(open_root(root.path()).unwrap(), Path::new(name), &mut bytes).map(|()| names(&bytes))
    };
    assert_eq!(
        pack("/etc/kubernetes").unwrap(),
        ["kubernetes/", "kubernetes/admin.conf"]
    );
    assert_eq!(
        pack("/settings/kubernetes/admin.conf").unwrap(),
        ["admin.conf"]
    );
    assert_eq!(pack("settings").unwrap(), ["settings"], "the link itself");
    assert!(pack("/missing").is_err());
}

fn tree() -> impl Strategy<Value = Vec<(String, u32, Vec<u8>)>> {
    let name = "[a-c]{1,2}(/[a-c]{1,120}){0,2}";
    let content = proptest::collection::vec(any::<u8>(), 0..1200);
    proptest::collection::vec((name, 0o000u32..0o1000, content), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_packed_unpacks_to_the_same(files in tree()) {
        let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        for (name, mode, content) in files {
            let path = first.path().join(name);
            // A random name may ask for a directory where a file is; then there is just less to pack.
            let made = fs::create_dir_all(path.parent().unwrap()).and_then(|()| fs::write(&path, content));
            if made.is_ok() {
                let mode = fs::Permissions::from_mode(mode | 0o400);
                fs::set_permissions(&path, mode).unwrap();
            }
        }
        let tar = packed(first.path());
        into(open_root(second.path()).unwrap(), tar.as_slice(), &options()).unwrap();
        prop_assert_eq!(packed(second.path()), tar);
    }
}
