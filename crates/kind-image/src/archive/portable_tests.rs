//! Layouts of one and several platforms, in every form they come in.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::tests::{config, docker_archive, layer};
use super::{Archive, PortableImage, write_partial};
use crate::oci::{self, Descriptor, ImageConfig, Index, Manifest, Platform};
use crate::unpack::testing::RawTar;
use crate::{Digest, Error};

/// A layout in the making, which knows its blobs.
#[derive(Default)]
struct Layout {
    blobs: Vec<Vec<u8>>,
}

impl Layout {
    fn blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let entry = Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64);
        self.blobs.push(bytes);
        entry
    }

    /// The manifest of an image whose layers hold these texts.
    fn image(&mut self, architecture: &str, texts: &[&str]) -> Descriptor {
        let layers: Vec<Vec<u8>> = texts
            .iter()
            .map(|text| RawTar::default().file("text", text.as_bytes()).finish())
            .collect();
        let mut document: ImageConfig = serde_json::from_slice(&config(
            &layers.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        ))
        .unwrap();
        architecture.clone_into(&mut document.architecture);
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(oci::MANIFEST.to_owned()),
            config: self.blob(oci::CONFIG, serde_json::to_vec(&document).unwrap()),
            layers: layers
                .into_iter()
                .map(|layer| self.blob(oci::LAYER, layer))
                .collect(),
        };
        self.blob(oci::MANIFEST, serde_json::to_vec(&manifest).unwrap())
    }

    fn list(&mut self, manifests: Vec<Descriptor>) -> Descriptor {
        let index = Index {
            manifests,
            ..Index::default()
        };
        self.blob(oci::INDEX, serde_json::to_vec(&index).unwrap())
    }

    fn tar(&self, manifests: Vec<Descriptor>) -> Vec<u8> {
        let index = Index {
            manifests,
            ..Index::default()
        };
        let index = serde_json::to_vec(&index).unwrap();
        let mut tar = RawTar::default().file("index.json", &index);
        for bytes in &self.blobs {
            let name = format!("./blobs/sha256/{}", Digest::of(bytes).hex());
            tar = tar.file(&name, bytes);
        }
        tar.finish()
    }
}

fn named(mut entry: Descriptor, name: &str) -> Descriptor {
    let key = oci::REFERENCE_ANNOTATION.to_owned();
    entry.annotations.insert(key, name.to_owned());
    entry
}

fn on(mut entry: Descriptor, architecture: &str) -> Descriptor {
    entry.platform = Some(Platform::new("linux", architecture));
    entry
}

fn images_of(tar: &[u8], architecture: &str) -> Result<Vec<PortableImage>, Error> {
    let spool = TempDir::new().unwrap();
    let archive = Archive::receive(tar, spool.path())?;
    archive.images(&Platform::new("linux", architecture))
}

/// As `docker save` of an image of several platforms writes it from containerd's image store: the list
/// names manifests that are not in the archive.
#[test]
fn the_image_of_the_platform_is_chosen() {
    let mut layout = Layout::default();
    let (amd64, arm64) = (layout.image("amd64", &["a"]), layout.image("arm64", &["b"]));
    let mut elsewhere = Layout::default();
    let absent = elsewhere.image("s390x", &["c"]);
    let mut attestation = layout.image("unknown", &["d"]);
    attestation.platform = Some(Platform::new("unknown", "unknown"));
    let entries = vec![
        on(amd64.clone(), "amd64"),
        on(arm64.clone(), "arm64"),
        on(absent, "s390x"),
        attestation,
    ];
    let list = named(layout.list(entries), "kindest/test:v1");
    let tar = layout.tar(vec![list]);
    for (architecture, manifest) in [("amd64", &amd64), ("arm64", &arm64)] {
        let images = images_of(&tar, architecture).unwrap();
        assert_eq!(images.len(), 1);
        assert_eq!(*images[0].digest(), manifest.digest);
        assert_eq!(
            images[0].names()[0].to_string(),
            "docker.io/kindest/test:v1"
        );
    }
    let error = images_of(&tar, "s390x").unwrap_err().to_string();
    assert!(
        error.contains("linux/amd64, linux/arm64, but not for linux/s390x"),
        "{error}"
    );
    // Where every platform has an entry of the index, without telling its platform.
    let flat = layout.tar(vec![
        named(arm64.clone(), "a/b:c"),
        named(amd64.clone(), "a/b:c"),
    ]);
    let images = images_of(&flat, "amd64").unwrap();
    assert_eq!((images.len(), images[0].digest()), (1, &amd64.digest));
    // The only one there is may be meant for emulation.
    let only = layout.tar(vec![named(arm64.clone(), "a/b:c")]);
    assert_eq!(
        *images_of(&only, "amd64").unwrap()[0].digest(),
        arm64.digest
    );
}

#[test]
fn lists_without_an_end_are_refused() {
    let mut layout = Layout::default();
    let mut list = layout.list(Vec::new());
    for _ in 0..8 {
        list = layout.list(vec![list]);
    }
    let tar = layout.tar(vec![named(list, "a/b:c")]);
    assert_eq!(
        images_of(&tar, "amd64").unwrap_err().code(),
        "IMG-NOT-AN-IMAGE"
    );
    let mut damaged = layout.image("amd64", &["a"]);
    damaged.digest = Digest::of(b"other");
    layout.blobs.push(b"{}".to_vec());
    let tar = layout.tar(vec![damaged]);
    assert_eq!(
        images_of(&tar, "amd64").unwrap_err().code(),
        "IMG-NOT-AN-IMAGE"
    );
}

#[test]
fn names_and_tags_are_told_apart() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &["a"]);
    let tar = layout.tar(vec![
        named(image.clone(), "v1"),
        named(image.clone(), "localhost:5000/a:v2"),
        image,
    ]);
    let images = images_of(&tar, "amd64").unwrap();
    let names: Vec<_> = images[0].names().iter().map(ToString::to_string).collect();
    assert_eq!(
        (images.len(), names.as_slice()),
        (1, &["v1".to_owned(), "localhost:5000/a:v2".to_owned()][..])
    );
}

#[test]
fn only_wanted_layers_are_written() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &["base", "middle", "top"]);
    let tar = layout.tar(vec![named(image, "a/b:c")]);
    let images = images_of(&tar, "amd64").unwrap();
    let layers = images[0].layers();
    let wanted = BTreeSet::from([layers[2].digest().clone()]);
    let mut partial = Vec::new();
    write_partial(&[&images[0]], &wanted, &mut partial).unwrap();
    let mut archive = tar::Archive::new(partial.as_slice());
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    let has = |digest: &Digest| names.contains(&super::blob_name(digest));
    assert!(
        has(images[0].digest()) && has(images[0].id()) && has(layers[2].digest()),
        "{names:?}"
    );
    assert!(
        !has(layers[0].digest()) && !has(layers[1].digest()),
        "{names:?}"
    );
    assert_eq!(names.len(), 5);
    let chain = images[0].chain_ids();
    assert_eq!(chain[0], layers[0].diff_id);
    let second = format!("{} {}", layers[0].diff_id, layers[1].diff_id);
    assert_eq!(chain[1], Digest::of(second.as_bytes()));
}

#[test]
fn archives_come_in_every_form() {
    let content = layer();
    let config = config(&[&content]);
    let plain = docker_archive(&config, &["one/layer.tar"]).finish();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&plain).unwrap();
    let gzip = encoder.finish().unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(
        plain.as_slice(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    let place = TempDir::new().unwrap();
    for (name, bytes) in [("plain", &plain), ("gzip", &gzip), ("zstd", &zstd)] {
        let path = place.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let archive = Archive::open(&path, place.path()).unwrap();
        let images = archive.images(&Platform::new("linux", "amd64")).unwrap();
        assert_eq!(images[0].id(), &Digest::of(&config), "{name}");
        assert_eq!(images_of(bytes, "amd64").unwrap()[0].id(), images[0].id());
        // Damage is told, not taken for the end.
        assert!(
            images_of(&bytes[..bytes.len() / 2], "amd64").is_err(),
            "{name}"
        );
    }
    let directory = place.path().join("layout");
    std::fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
    let mut layout = Layout::default();
    let image = layout.image("amd64", &["a"]);
    let index = Index {
        manifests: vec![named(image.clone(), "a/b:c")],
        ..Index::default()
    };
    std::fs::write(
        directory.join("index.json"),
        serde_json::to_vec(&index).unwrap(),
    )
    .unwrap();
    for bytes in &layout.blobs {
        let name = super::blob_name(&Digest::of(bytes));
        std::fs::write(directory.join(name), bytes).unwrap();
    }
    let archive = Archive::open(&directory, place.path()).unwrap();
    let images = archive.images(&Platform::new("linux", "amd64")).unwrap();
    assert_eq!(*images[0].digest(), image.digest);
    assert_eq!(
        Archive::open(&place.path().join("none"), place.path())
            .unwrap_err()
            .code(),
        "IMG-IO"
    );
}
