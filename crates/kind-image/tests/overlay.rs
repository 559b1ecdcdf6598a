//! Layers of the store as the kernel's overlayfs sees them. Needs root.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::Path;
use std::process::Command;

use kind_image::oci::ImageConfig;
use kind_image::{Image, Store};
use kind_testkit::machine::require_root;
use tempfile::TempDir;

/// A layer's tar with empty directories and files that hold their own name.
fn layer(names: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for name in names {
        let mut header = tar::Header::new_gnu();
        let directory = name.ends_with('/');
        header.set_entry_type(if directory {
            tar::EntryType::Directory
        } else {
            tar::EntryType::Regular
        });
        header.set_mode(if directory { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        let content = if directory { "" } else { name };
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

fn image(store: &Store, layers: &[&[&str]]) -> Image {
    let mut draft = store.draft().unwrap();
    for names in layers {
        draft.add_tar(&mut layer(names).as_slice()).unwrap();
    }
    draft
        .commit(ImageConfig::default(), &["test".parse().unwrap()])
        .unwrap()
}

/// Mounts the layers as a node's root would be, where nobody else sees it, and lists what is there.
fn merged(image: &Image, place: &Path) -> Vec<String> {
    let lower: Vec<_> = image
        .layers()
        .iter()
        .rev()
        .map(|layer| layer.to_str().unwrap())
        .collect();
    let script = "mount -t overlay overlay -o \"lowerdir=$1\" \"$2\" && cd \"$2\" && find . | sort";
    let output = Command::new("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-ec",
            script,
            "sh",
        ])
        .arg(lower.join(":"))
        .arg(place)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn whiteouts_hide_what_lower_layers_have() {
    require_root();
    let place = TempDir::new().unwrap();
    let store = Store::open(&place.path().join("store")).unwrap();
    let mount_point = place.path().join("merged");
    std::fs::create_dir(&mount_point).unwrap();
    let image = image(
        &store,
        &[
            &[
                "a/", "a/one", "a/two", "b/", "b/old", "c/", "c/deep/", "c/deep/x", "d",
            ],
            &["a/.wh.one", "b/.wh..wh..opq", "b/new", ".wh.c"],
            &["c/", "c/fresh", "d"],
        ],
    );
    let found = merged(&image, &mount_point);
    assert_eq!(
        found,
        [
            ".",
            "./a",
            "./a/two",
            "./b",
            "./b/new",
            "./c",
            "./c/fresh",
            "./d"
        ]
    );
}
