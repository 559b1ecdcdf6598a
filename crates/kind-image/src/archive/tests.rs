//! Archives as other programs write them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tempfile::TempDir;

use super::read;
use crate::oci::{self, Descriptor, ImageConfig, Index, Manifest, RootFs};
use crate::unpack::testing::RawTar;
use crate::{Code, Digest, Error, Store};

fn store() -> (TempDir, Store) {
    let place = TempDir::new().unwrap();
    let store = Store::open(&place.path().join("store")).unwrap();
    (place, store)
}

pub(super) fn layer() -> Vec<u8> {
    RawTar::default()
        .directory("etc")
        .file("etc/os-release", b"ID=test\n")
        .finish()
}

pub(super) fn config(layers: &[&[u8]]) -> Vec<u8> {
    let config = ImageConfig {
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: layers.iter().map(|layer| Digest::of(layer)).collect(),
        },
        ..ImageConfig::default()
    };
    serde_json::to_vec(&config).unwrap()
}

/// As `docker save` wrote it until 25.0: directories by layer, and a link where two are the same.
pub(super) fn docker_archive(config: &[u8], layers: &[&str]) -> RawTar {
    let manifest = json!([{
        "Config": "c.json",
        "RepoTags": ["kindest/node:v1", "registry.example/node:v1"],
        "Layers": layers,
    }]);
    RawTar::default()
        .directory("one/")
        .file("one/VERSION", b"1.0")
        .file("one/layer.tar", &layer())
        .directory("two/")
        .symlink("two/layer.tar", "../one/layer.tar")
        .symlink("three.tar", "/etc/hostname")
        .file("c.json", config)
        .file("manifest.json", manifest.to_string().as_bytes())
}

#[test]
fn old_docker_archives_are_read() {
    let (_place, store) = store();
    let content = layer();
    let config = config(&[&content, &content]);
    let tar = docker_archive(&config, &["one/layer.tar", "two/layer.tar"]).finish();
    let images = read(&store, tar.as_slice()).unwrap();
    assert_eq!(images.len(), 1);
    for name in ["kindest/node:v1", "registry.example/node:v1"] {
        let found = store.find_image(name).unwrap().unwrap();
        assert_eq!(found.layers().len(), 2);
        assert!(found.layers()[1].join("etc/os-release").exists());
    }
}

#[test]
fn gzipped_layers_of_a_layout_are_read() {
    let (_place, store) = store();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&layer()).unwrap();
    let packed = encoder.finish().unwrap();
    let config = config(&[&layer()]);
    let blob =
        |bytes: &[u8], kind: &str| Descriptor::new(kind, Digest::of(bytes), bytes.len() as u64);
    let manifest = Manifest {
        schema_version: 2,
        media_type: None,
        config: blob(&config, oci::CONFIG),
        layers: vec![blob(&packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    };
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let mut entry = blob(&manifest, oci::MANIFEST);
    let name = "docker.io/kindest/node:v2";
    entry
        .annotations
        .insert(oci::CONTAINERD_NAME_ANNOTATION.to_owned(), name.to_owned());
    let index = Index {
        manifests: vec![entry],
        ..Index::default()
    };
    let mut tar = RawTar::default().file("index.json", &serde_json::to_vec(&index).unwrap());
    for bytes in [&packed, &config, &manifest] {
        tar = tar.file(&format!("blobs/sha256/{}", Digest::of(bytes).hex()), bytes);
    }
    read(&store, tar.finish().as_slice()).unwrap();
    let found = store.find_image("kindest/node:v2").unwrap().unwrap();
    assert!(found.layers()[0].join("etc/os-release").exists());
    let mut out = Vec::new();
    super::write(&store, &[found], &mut out).unwrap();
    let (_other_place, other) = self::store();
    assert_eq!(
        read(&other, out.as_slice()).unwrap().len(),
        1,
        "it can be written again"
    );
}

#[test]
fn archives_that_lie_are_refused() {
    let content = layer();
    let other = RawTar::default().file("other", b"").finish();
    let cases = [
        (config(&[&other]), vec!["one/layer.tar"], Code::Mismatch),
        (
            config(&[&content, &content]),
            vec!["one/layer.tar"],
            Code::NotAnImage,
        ),
        (config(&[&content]), vec!["four/layer.tar"], Code::Io),
        // Links of the archive lead into the archive, never to the host's files.
        (config(&[&content]), vec!["three.tar"], Code::Io),
        (config(&[&content]), vec!["../../../etc/hostname"], Code::Io),
        (b"no JSON".to_vec(), vec!["one/layer.tar"], Code::Document),
    ];
    for (config, layers, code) in cases {
        let (place, store) = store();
        let tar = docker_archive(&config, &layers).finish();
        let error: Error = read(&store, tar.as_slice()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(store.list_images().unwrap().is_empty());
        assert_eq!(
            std::fs::read_dir(place.path().join("store/tmp"))
                .unwrap()
                .count(),
            0
        );
    }
}

#[test]
fn an_archive_without_an_image_is_none() {
    let index = br#"{"schemaVersion":2,"manifests":[]}"#.as_slice();
    let empty = |files: &[(&str, &[u8])]| {
        let add = |tar: RawTar, (name, text): &(&str, &[u8])| tar.file(name, text);
        let tar = files.iter().fold(RawTar::default(), add).finish();
        read(&store().1, tar.as_slice()).unwrap_err()
    };
    for files in [
        [("manifest.json", b"[]".as_slice())].as_slice(),
        &[("index.json", index)],
        &[("index.json", index), ("manifest.json", b"[]")],
    ] {
        let error = empty(files);
        assert_eq!(error.code(), Code::NotAnImage, "{error}");
        assert!(error.to_string().contains("it lists no image"), "{error}");
    }
}
