//! The store: what goes in comes out, by several hands at once and after crashes.

use std::fs;
use std::path::{Path, PathBuf};

use kind_testkit::machine::SmallDisk;
use tempfile::TempDir;

use super::{Placement, Store};
use crate::oci::{ImageConfig, RunConfig};
use crate::{Code, Error, Image, archive};

struct Setting {
    place: TempDir,
    store: Store,
}

impl Setting {
    fn new() -> Self {
        let place = TempDir::new().unwrap();
        let store = Store::open(&place.path().join("store")).unwrap();
        Self { place, store }
    }

    /// Adds an image with a layer for each text.
    fn image(&self, name: &str, layers: &[&str]) -> Image {
        add(&self.store, self.place.path(), name, layers)
    }

    fn count(&self, part: &str) -> usize {
        fs::read_dir(self.store.root().join(part)).unwrap().count()
    }
}

fn add(store: &Store, place: &Path, name: &str, layers: &[&str]) -> Image {
    let mut draft = store.draft().unwrap();
    for text in layers {
        let directory = TempDir::new_in(place).unwrap();
        let file = directory.path().join("file");
        fs::write(&file, text).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(time)
            .unwrap();
        draft
            .add_directory(directory.path(), Placement::Link)
            .unwrap();
    }
    let config = ImageConfig {
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        config: RunConfig {
            entrypoint: Some(vec!["/sbin/init".to_owned()]),
            ..RunConfig::default()
        },
        ..ImageConfig::default()
    };
    draft.commit(config, &[name.parse().unwrap()]).unwrap()
}

#[test]
fn an_image_is_found_by_every_name_it_has() {
    let setting = Setting::new();
    let made = setting.image("kindest/node:v1", &["low", "high"]);
    setting.store.tag(&made, "other").unwrap();
    let digest = format!("docker.io/kindest/node@{}", made.digest());
    let (id, manifest) = (made.id().to_string(), made.digest().to_string());
    for name in [
        "kindest/node:v1",
        "docker.io/kindest/node:v1",
        "other:latest",
        &digest,
        &id,
        &manifest,
    ] {
        let found = setting
            .store
            .find_image(name)
            .unwrap()
            .unwrap_or_else(|| panic!("{name}"));
        assert_eq!(found.digest(), made.digest(), "{name}");
    }
    assert!(
        setting
            .store
            .find_image("kindest/node:v2")
            .unwrap()
            .is_none()
    );
    let found = setting.store.find_image("other").unwrap().unwrap();
    assert_eq!(
        found.config().entrypoint.as_deref(),
        Some(&["/sbin/init".to_owned()][..])
    );
    let texts = found
        .layers()
        .iter()
        .map(|layer| fs::read_to_string(layer.join("file")).unwrap());
    assert_eq!(texts.collect::<Vec<_>>(), ["low", "high"]);
    assert_eq!(setting.store.list_images().unwrap().len(), 1);
    assert_eq!(
        setting.store.list_images().unwrap()[0].references().len(),
        2
    );
}

#[test]
fn removing_keeps_what_others_need() {
    let setting = Setting::new();
    setting.image("one", &["shared", "own"]);
    setting.image("two", &["shared"]);
    assert_eq!(setting.count("chains"), 2);
    setting.store.remove_image("one").unwrap();
    assert_eq!(
        (setting.count("chains"), setting.count("blobs/sha256")),
        (1, 2)
    );
    assert!(setting.store.find_image("two").unwrap().is_some());
    setting.store.remove_image("two").unwrap();
    assert_eq!(
        (setting.count("chains"), setting.count("blobs/sha256")),
        (0, 0)
    );
    assert!(matches!(
        setting.store.remove_image("two"),
        Err(Error::Missing(_))
    ));
    assert_eq!(setting.count("tmp"), 0);
}

#[test]
fn a_held_image_stays_until_released() {
    let setting = Setting::new();
    let image = setting.image("node", &["layer"]);
    setting
        .store
        .hold_image(&image, "kind-control-plane")
        .unwrap();
    setting.store.remove_image("node").unwrap();
    assert!(image.layers()[0].join("file").exists());
    assert!(setting.store.list_images().unwrap().is_empty());
    setting.store.release("kind-control-plane").unwrap();
    setting.store.release("kind-control-plane").unwrap();
    assert_eq!(setting.count("chains"), 0);
    for name in ["", "../x", "a/b", ".hidden"] {
        assert!(setting.store.hold_image(&image, name).is_err(), "{name:?}");
    }
}

#[test]
fn a_hold_of_a_process_ends_with_it() {
    let setting = Setting::new();
    let image = setting.image("node", &["layer"]);
    let [first, second] = [(); 2].map(|()| setting.store.hold_meanwhile(&image).unwrap());
    assert!(setting.store.unused().unwrap().is_empty());
    setting.store.remove_image("node").unwrap();
    drop(first);
    assert_eq!(setting.count("chains"), 1, "another one holds it");
    drop(second);
    assert_eq!((setting.count("chains"), setting.count("holds")), (0, 0));
}

#[test]
fn a_hold_of_a_process_that_was_killed_counts_no_more() {
    let setting = Setting::new();
    let image = setting.image("node", &["layer"]);
    let hold = setting.store.root().join("holds/0.making");
    fs::write(&hold, image.digest().to_string()).unwrap();
    assert_eq!(setting.store.unused().unwrap().len(), 1);
    assert!(!hold.exists());
    // It may even have been killed before it had said what it holds.
    fs::write(&hold, "").unwrap();
    assert!(setting.store.remove_unused(image.digest()).unwrap());
}

#[test]
fn a_name_moves_to_the_newer_image() {
    let setting = Setting::new();
    setting.image("node", &["old"]);
    let new = setting.image("node", &["new"]);
    assert_eq!(
        setting.store.find_image("node").unwrap().unwrap().digest(),
        new.digest()
    );
    assert_eq!(
        setting.count("chains"),
        1,
        "nothing is left of the older one"
    );
}

#[test]
fn what_a_crash_left_is_swept() {
    let setting = Setting::new();
    let tmp = setting.store.root().join("tmp");
    fs::create_dir_all(tmp.join("4194304-0/layer-0")).unwrap();
    fs::write(tmp.join("4194304-0.lock"), "").unwrap();
    let living = setting.store.draft().unwrap();
    assert_eq!(
        setting.count("tmp"),
        2,
        "only the living draft and its lock"
    );
    setting.image("node", &["layer"]);
    assert_eq!(setting.count("tmp"), 2, "a draft at work is not swept");
    drop(living);
    assert_eq!(setting.count("tmp"), 0);
    fs::create_dir(tmp.join("4194304-1")).unwrap();
    let half = ["tmp/4194304-1.lock", "holds/node-a.new", "index.new"];
    let half = half.map(|name| setting.store.root().join(name));
    half.iter()
        .for_each(|path| fs::write(path, "half").unwrap());
    setting.store.sweep().unwrap();
    assert!(half.iter().all(|path| !path.exists()), "{half:?}");
    assert!(setting.store.find_image("node").unwrap().is_some());
}

#[test]
fn many_hands_at_once_lose_nothing() {
    let setting = Setting::new();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (root, place) = (setting.store.root(), setting.place.path());
            scope.spawn(move || {
                let store = Store::open(root).unwrap();
                for round in 0..5 {
                    let own = format!("own {number} {round}");
                    add(&store, place, &format!("image-{number}"), &["shared", &own]);
                    add(&store, place, "contended", &["shared"]);
                    add(
                        &store,
                        place,
                        "coming-and-going",
                        &["shared", "short-lived"],
                    );
                    let _ = store.remove_image("coming-and-going");
                    store.list_images().unwrap();
                }
            });
        }
    });
    let _ = setting.store.remove_image("coming-and-going");
    assert_eq!(setting.store.list_images().unwrap().len(), 9);
    assert_eq!((setting.count("chains"), setting.count("tmp")), (9, 0));
}

#[test]
fn archives_bring_images_to_another_store() {
    let setting = Setting::new();
    let other = Setting::new();
    let image = setting.image("node:v1", &["low", "high"]);
    let mut tar = Vec::new();
    archive::write(&setting.store, std::slice::from_ref(&image), &mut tar).unwrap();
    let read = archive::read(&other.store, tar.as_slice()).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].digest(), image.digest());
    let found = other.store.find_image("node:v1").unwrap().unwrap();
    assert_eq!(
        fs::read_to_string(found.layers()[1].join("file")).unwrap(),
        "high"
    );
    // Its layers came as tars, which are written again as they were.
    let mut again = Vec::new();
    archive::write(&other.store, &[found], &mut again).unwrap();
    assert_eq!(again, tar);
}

#[test]
fn a_changed_layer_is_noticed_when_written() {
    let setting = Setting::new();
    let image = setting.image("node", &["text"]);
    fs::write(image.layers()[0].join("file"), "TEXT").unwrap();
    let written = archive::write(&setting.store, &[image], std::io::sink());
    assert!(
        matches!(written, Err(Error::Mismatch { .. })),
        "{written:?}"
    );
}

#[test]
fn damaged_documents_are_noticed() {
    let setting = Setting::new();
    let image = setting.image("node", &["text"]);
    fs::write(setting.store.blob_path(image.id()), "{}").unwrap();
    assert!(matches!(
        setting.store.find_image("node"),
        Err(Error::Mismatch { .. })
    ));
}

#[test]
fn streams_that_are_no_images_are_refused() {
    let setting = Setting::new();
    let tar = crate::unpack::testing::RawTar::default()
        .file("x", b"")
        .finish();
    let read = archive::read(&setting.store, tar.as_slice());
    assert!(matches!(read, Err(Error::NotAnImage(_))), "{read:?}");
    assert_eq!(setting.count("tmp"), 0);
}

#[test]
fn directories_of_another_filesystem_are_copied() {
    // Memory on nearly every Linux, and so another filesystem than that of temporary files.
    let foreign = TempDir::new_in("/dev/shm").unwrap();
    let setting = Setting::new();
    let source = foreign.path().join("layer");
    fs::create_dir_all(source.join("usr/bin")).unwrap();
    fs::write(source.join("usr/bin/tool"), "#!").unwrap();
    std::os::unix::fs::symlink("tool", source.join("usr/bin/link")).unwrap();
    let mut draft = setting.store.draft().unwrap();
    let linked = draft.add_directory(&source, Placement::Link).unwrap();
    assert!(source.exists());
    let moved = draft.add_directory(&source, Placement::Move).unwrap();
    assert!(!source.exists());
    assert_eq!(linked, moved);
    let image = draft
        .commit(ImageConfig::default(), &["x".parse().unwrap()])
        .unwrap();
    assert_eq!(
        fs::read_to_string(image.layers()[0].join("usr/bin/link")).unwrap(),
        "#!"
    );
    // What was copied is what was digested.
    archive::write(&setting.store, &[image], std::io::sink()).unwrap();
}

#[test]
fn images_that_nobody_holds_can_go() {
    let setting = Setting::new();
    let held = setting.image("held:v1", &["shared", "its own"]);
    setting.image("unused:v1", &["shared", "not shared"]);
    let other = setting.image("unused:v2", &["shared", "not shared"]);
    setting.store.hold_image(&held, "node-a").unwrap();
    let unused = setting.store.unused().unwrap();
    assert_eq!(unused.len(), 1, "two names, one image: {unused:?}");
    assert_eq!(unused[0].names.len(), 2);
    // Layers are links to files that are still elsewhere: blobs alone are freed, and those are small.
    assert!((1..100_000).contains(&unused[0].bytes), "{unused:?}");
    assert!(!setting.store.remove_unused(held.digest()).unwrap());
    assert!(setting.store.remove_unused(other.digest()).unwrap());
    assert!(setting.store.find_image("unused:v1").unwrap().is_none());
    assert!(setting.store.find_image("held:v1").unwrap().is_some());
    assert_eq!(setting.count("chains"), 2);
}

#[test]
fn a_full_disk_costs_no_image_and_leaves_nothing_half() {
    let disk = SmallDisk::new(4 << 20);
    let store = Store::open(&disk.path().join("store")).unwrap();
    let image = add(&store, disk.path(), "a.com/b:old", &["old"]);
    let large = TempDir::new().unwrap();
    fs::write(large.path().join("file"), vec![7; 8 << 20]).unwrap();
    let refused = |what: &str, result: Result<(), Error>| {
        let error = result.expect_err(what);
        assert_eq!(error.code(), Code::NoSpace, "{what}: {error}");
        assert!(error.remedy().unwrap().contains("kind prune"), "{what}");
    };
    let before = files(disk.path());
    let mut draft = store.draft().unwrap();
    let added = draft.add_directory(large.path(), Placement::Link);
    refused("a layer", added.map(drop));
    drop(draft);
    assert_eq!(files(disk.path()), before);
    disk.fill();
    let before = files(disk.path());
    refused("a hold", store.hold_image(&image, "node-a"));
    refused("a name", store.tag(&image, "a.com/b:new"));
    assert_eq!(files(disk.path()), before);
    disk.free();
    let found = store.find_image("a.com/b:old").unwrap().unwrap();
    assert_eq!(found.digest(), image.digest());
    store.hold_image(&image, "node-a").unwrap();
    assert_eq!(store.holders().unwrap(), ["node-a"]);
}

/// Everything below a directory, with sizes.
fn files(directory: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path(), metadata.len()));
        }
    }
    found.sort();
    found
}
