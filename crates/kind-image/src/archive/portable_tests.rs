//! Layouts of one and several platforms, in every form they come in.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tempfile::TempDir;

use super::tests::{config, docker_archive, layer};
use super::{Archive, PortableImage, write_partial};
use crate::oci::{self, Descriptor, ImageConfig, Index, Manifest, Platform};
use crate::unpack::testing::RawTar;
use crate::{Code, Digest, Error};

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
    let archive = Archive::receive_stream(tar, spool.path())?;
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
        Code::NotAnImage
    );
    let mut damaged = layout.image("amd64", &["a"]);
    damaged.digest = Digest::of(b"other");
    layout.blobs.push(b"{}".to_vec());
    let tar = layout.tar(vec![damaged]);
    assert_eq!(
        images_of(&tar, "amd64").unwrap_err().code(),
        Code::NotAnImage
    );
}

impl Layout {
    /// A manifest of these fields beside the usual ones.
    fn other(&mut self, media_type: &str, fields: serde_json::Value) -> Descriptor {
        let empty = self.blob("application/vnd.oci.empty.v1+json", b"{}".to_vec());
        let mut document = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": empty, "layers": [empty],
        });
        let fields = fields.as_object().unwrap().clone();
        document.as_object_mut().unwrap().extend(fields);
        self.blob(media_type, document.to_string().into_bytes())
    }
}

/// As `oras attach`, `cosign save` and builders write them beside an image, or into it.
#[test]
fn what_is_attached_to_an_image_is_left_out() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &["a"]);
    let subject = json!(image);
    let sbom = json!({"artifactType": "application/spdx+json", "subject": subject});
    let sbom = layout.other(oci::MANIFEST, sbom);
    let untyped = layout.other(oci::MANIFEST, json!({"subject": subject}));
    let former = "application/vnd.oci.artifact.manifest.v1+json";
    let former = layout.other(former, json!({"config": null, "layers": null}));
    let no_config = json!({"artifactType": "a/b", "config": null, "layers": null});
    let no_config = layout.other(oci::MANIFEST, no_config);
    let simple = "application/vnd.dev.cosign.simplesigning.v1+json";
    let payload = layout.blob(simple, b"{}".to_vec());
    let config = layout.blob(oci::CONFIG, b"{\"rootfs\":{}}".to_vec());
    let signature = layout.other(
        oci::MANIFEST,
        json!({"config": config, "layers": [payload]}),
    );
    let list = json!({"artifactType": "a/b", "manifests": [image]});
    let typed_list = layout.other(oci::INDEX, list);
    let referrers = layout.list(vec![sbom.clone(), untyped.clone()]);
    let tag = format!("sha256-{}", image.digest.hex());
    let mut attestation = layout.other(oci::MANIFEST, json!({}));
    attestation.platform = Some(Platform::new("unknown", "unknown"));
    let built = layout.list(vec![on(image.clone(), "amd64"), attestation.clone()]);
    let attached = [
        sbom.clone(),
        untyped,
        former,
        no_config,
        typed_list,
        attestation,
        named(referrers, &tag),
        named(signature, &format!("{tag}.sig")),
    ];
    for entry in [image.clone(), built] {
        let mut entries = vec![named(entry, "a/b:c")];
        entries.extend(attached.clone());
        for _ in 0..2 {
            let images = images_of(&layout.tar(entries.clone()), "amd64").unwrap();
            assert_eq!((images.len(), images[0].digest()), (1, &image.digest));
            assert_eq!(images[0].names().len(), 1);
            entries.reverse();
        }
    }
    let error = images_of(&layout.tar(attached.to_vec()), "amd64").unwrap_err();
    assert!(error.to_string().contains("no image"), "{error}");
    // An image may be about another, and say that it is one.
    let mut about: serde_json::Value = serde_json::from_slice(&layout.blobs[2]).unwrap();
    about["subject"] = subject;
    about["artifactType"] = json!(oci::CONFIG);
    let about = layout.blob(oci::MANIFEST, about.to_string().into_bytes());
    let images = images_of(&layout.tar(vec![named(about, "a/b:d")]), "amd64").unwrap();
    assert_eq!(images[0].names()[0].to_string(), "docker.io/a/b:d");
}

/// Which of the two it is would be another reader's guess.
#[test]
fn a_manifest_that_is_an_index_too_is_refused() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &["a"]);
    let mut both: serde_json::Value = serde_json::from_slice(&layout.blobs[2]).unwrap();
    both["manifests"] = json!([image]);
    let both = layout.blob(oci::MANIFEST, both.to_string().into_bytes());
    let error = images_of(&layout.tar(vec![both]), "amd64").unwrap_err();
    assert!(error.to_string().contains("at once"), "{error}");
}

/// Only what is about an image may be passed over, not the image that is listed beside it and missing.
#[test]
fn an_image_that_is_not_in_the_archive_is_told() {
    let mut layout = Layout::default();
    let whole = layout.image("amd64", &["a"]);
    let absent = Layout::default().image("amd64", &["b"]);
    let mut attestation = layout.other(oci::MANIFEST, json!({}));
    attestation.platform = Some(Platform::new("unknown", "unknown"));
    let built = layout.list(vec![on(absent, "amd64"), attestation]);
    let entries = vec![named(whole, "a/b:c"), named(built, "a/b:d")];
    let error = images_of(&layout.tar(entries), "amd64").unwrap_err();
    assert!(error.to_string().contains("a/b:d"), "{error}");
}

#[test]
fn of_several_with_one_name_the_last_counts() {
    let mut layout = Layout::default();
    let (old, new) = (
        layout.image("amd64", &["old"]),
        layout.image("amd64", &["new"]),
    );
    let foreign = layout.image("arm64", &["foreign"]);
    let lists = [vec![old.clone()], vec![new.clone()]].map(|list| layout.list(list));
    let other_key = |mut entry: Descriptor, name: &str| {
        let key = oci::CONTAINERD_NAME_ANNOTATION.to_owned();
        entry.annotations.insert(key, name.to_owned());
        entry
    };
    let name = "docker.io/a/b:c";
    for (entries, expected) in [
        (
            vec![named(old.clone(), name), named(new.clone(), name)],
            &new,
        ),
        (
            vec![named(new.clone(), name), named(old.clone(), name)],
            &old,
        ),
        (
            vec![named(old.clone(), name), other_key(new.clone(), name)],
            &new,
        ),
        (
            vec![named(lists[1].clone(), name), named(lists[0].clone(), name)],
            &old,
        ),
        // The last for the node's platform, where there is one.
        (
            vec![
                named(old.clone(), name),
                named(new.clone(), name),
                named(foreign.clone(), name),
            ],
            &new,
        ),
    ] {
        let images = images_of(&layout.tar(entries), "amd64").unwrap();
        assert_eq!((images.len(), images[0].digest()), (1, &expected.digest));
    }
    let entries = vec![
        named(old.clone(), name),
        named(new, name),
        named(old.clone(), "a/b:d"),
    ];
    let images = images_of(&layout.tar(entries), "amd64").unwrap();
    assert_eq!((images.len(), images[1].digest()), (2, &old.digest));
    assert_eq!(images[1].names().len(), 1);
}

#[test]
fn of_two_docker_images_with_one_name_the_last_counts() {
    let content = layer();
    let configs = [config(&[&content]), config(&[&content, &content])];
    let entry = |number: usize, layers: &[&str]| json!({"Config": format!("{number}.json"), "RepoTags": ["a/b:c"], "Layers": layers});
    let manifest = json!([entry(0, &["l.tar"]), entry(1, &["l.tar", "l.tar"])]);
    let tar = RawTar::default()
        .file("l.tar", &content)
        .file("0.json", &configs[0])
        .file("1.json", &configs[1])
        .file("manifest.json", manifest.to_string().as_bytes())
        .finish();
    let images = images_of(&tar, "amd64").unwrap();
    assert_eq!(
        (images.len(), images[0].id()),
        (1, &Digest::of(&configs[1]))
    );
}

/// Every list names the next one many times.
#[test]
fn lists_that_fan_out_are_refused() {
    let mut layout = Layout::default();
    let mut list = layout.other(oci::MANIFEST, json!({}));
    for _ in 0..3 {
        list = layout.list(vec![list; 200]);
    }
    let error = images_of(&layout.tar(vec![list]), "amd64").unwrap_err();
    assert_eq!(error.code(), Code::NotAnImage);
    assert!(error.to_string().contains("no end"), "{error}");
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
    let has = |digest: &Digest| names.contains(&super::layout::blob_name(digest));
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

/// containerd would give the image its name and lack the layer.
#[test]
fn one_flipped_byte_of_a_layer_ends_the_archive_in_its_middle() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &["base", "top"]);
    let mut tar = layout.tar(vec![named(image, "a/b:c")]);
    let text = tar.windows(3).position(|bytes| bytes == b"top").unwrap();
    tar[text] ^= 1;
    let images = images_of(&tar, "amd64").unwrap();
    let layers = images[0].layers();
    let wanted = layers.iter().map(|layer| layer.digest().clone()).collect();
    let mut partial = Vec::new();
    let error = write_partial(&[&images[0]], &wanted, &mut partial).unwrap_err();
    assert_eq!(error.code(), Code::Mismatch);
    assert!(
        error
            .to_string()
            .contains(&super::layout::blob_name(layers[1].digest())),
        "{error}"
    );
    let mut archive = tar::Archive::new(partial.as_slice());
    let mut read = archive.entries().unwrap().map(|entry| {
        let mut entry = entry?;
        std::io::copy(&mut entry, &mut std::io::sink())
    });
    assert!(read.any(|entry| entry.is_err()), "it looks whole");
}

#[test]
fn an_image_without_a_name_has_no_date_in_the_one_it_gets() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &["a"]);
    let names = |entries: Vec<Descriptor>| {
        let images = images_of(&layout.tar(entries), "amd64").unwrap();
        let image = images[0].clone().with_full_names();
        let names = image.names().iter().map(ToString::to_string);
        (names.collect::<Vec<_>>(), image.id().hex()[..12].to_owned())
    };
    let (nameless, id) = names(vec![image.clone()]);
    assert_eq!(nameless, [format!("localhost/loaded:{id}")]);
    let tagged = named(image.clone(), "v1");
    assert_eq!(names(vec![tagged.clone()]).0, nameless);
    // As `podman save --format oci-archive ID` writes it.
    let by_id = named(image.clone(), &format!("sha256:{}", "0a".repeat(32)));
    assert_eq!(names(vec![by_id]).0, nameless);
    let both = vec![tagged, named(image, "localhost:5000/a:v2")];
    assert_eq!(names(both).0, ["localhost:5000/a:v2"]);
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
        let archive = Archive::open_file(&path, place.path()).unwrap();
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
        let name = super::layout::blob_name(&Digest::of(bytes));
        std::fs::write(directory.join(name), bytes).unwrap();
    }
    let archive = Archive::open_file(&directory, place.path()).unwrap();
    let images = archive.images(&Platform::new("linux", "amd64")).unwrap();
    assert_eq!(*images[0].digest(), image.digest);
    assert_eq!(
        Archive::open_file(&place.path().join("none"), place.path())
            .unwrap_err()
            .code(),
        Code::Io
    );
}
