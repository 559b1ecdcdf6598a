//! Layers that depend on those below them, and stores in which they did not.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use tar::EntryType;
use tempfile::TempDir;

use super::{Placement, Store};
use crate::oci::ImageConfig;
use crate::unpack::testing::RawTar;
use crate::{Error, Image};

fn base(mode: u32) -> Vec<u8> {
    let tar = RawTar::default().entry(EntryType::Directory, "root", "", mode, b"");
    tar.finish()
}

fn top() -> Vec<u8> {
    RawTar::default().file("root/file", b"").finish()
}

struct Setting {
    _place: TempDir,
    store: Store,
}

impl Setting {
    fn new() -> Self {
        let place = TempDir::new().unwrap();
        let store = Store::open(&place.path().join("store")).unwrap();
        Self {
            _place: place,
            store,
        }
    }

    fn image(&self, name: &str, layers: &[Vec<u8>]) -> Image {
        let mut draft = self.store.draft().unwrap();
        for layer in layers {
            draft.add_tar(&mut layer.as_slice()).unwrap();
        }
        let names = [name.parse().unwrap()];
        draft.commit(ImageConfig::default(), &names).unwrap()
    }

    /// Moves an image's layers to where earlier versions had them.
    fn make_former(&self, image: &Image) -> Vec<PathBuf> {
        fs::create_dir_all(self.store.root().join("layers")).unwrap();
        let layers = image.layers().iter().zip(&image.document().rootfs.diff_ids);
        let moved = layers.map(|(path, diff_id)| {
            let former = self.store.former_layer_path(diff_id);
            fs::rename(path, &former).unwrap();
            former
        });
        moved.collect()
    }
}

fn mode(image: &Image) -> u32 {
    let path = image.layers().last().unwrap().join("root");
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_layer_is_kept_for_the_layers_below_it() {
    let setting = Setting::new();
    let private = setting.image("private", &[base(0o700), top()]);
    let sticky = setting.image("sticky", &[base(0o1777), top()]);
    let ids = |image: &Image| image.document().rootfs.diff_ids[1].clone();
    assert_eq!(ids(&private), ids(&sticky));
    assert_eq!((mode(&private), mode(&sticky)), (0o700, 0o1777));
    setting.store.remove_image("private").unwrap();
    let found = setting.store.find_image("sticky").unwrap().unwrap();
    assert_eq!(mode(&found), 0o1777);
    assert_eq!(
        fs::read_dir(setting.store.root().join("chains"))
            .unwrap()
            .count(),
        2
    );
}

#[test]
fn what_an_earlier_version_unpacked_is_unpacked_again() {
    let setting = Setting::new();
    let image = setting.image("node", &[base(0o700), top()]);
    let former = setting.make_former(&image);
    let wrong = fs::Permissions::from_mode(0o755);
    fs::set_permissions(former[1].join("root"), wrong).unwrap();
    setting.store.hold_image(&image, "node-a").unwrap();
    assert_eq!(setting.store.list_images().unwrap().len(), 1);
    let found = setting.store.find_image("node").unwrap().unwrap();
    assert_eq!(mode(&found), 0o700);
    // A node that an earlier version made has these paths as long as it is there.
    setting.image("other", &[base(0o755)]);
    assert!(former.iter().all(|path| path.is_dir()));
    setting.store.release("node-a").unwrap();
    assert!(setting.store.find_image("node").unwrap().is_some());
    assert!(former.iter().all(|path| !path.exists()));
    assert_eq!(
        fs::read_dir(setting.store.root().join("tmp"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn what_an_earlier_version_made_is_used() {
    let setting = Setting::new();
    let mut draft = setting.store.draft().unwrap();
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file"), "text").unwrap();
    let made = draft
        .add_directory(directory.path(), Placement::Link)
        .unwrap();
    let names = ["node".parse().unwrap()];
    let image = draft.commit(ImageConfig::default(), &names).unwrap();
    let former = setting.make_former(&image);
    let found = setting.store.find_image("node").unwrap().unwrap();
    assert_eq!(found.layers(), former);
    let mut draft = setting.store.draft().unwrap();
    assert!(draft.add_known(&made));
    draft.add_tar(&mut top().as_slice()).unwrap();
    let names = ["above".parse().unwrap()];
    let above = draft.commit(ImageConfig::default(), &names).unwrap();
    assert_eq!(above.layers()[0], former[0]);
    crate::archive::write(&setting.store, &[above], std::io::sink()).unwrap();
}

#[test]
fn a_layer_that_is_nowhere_is_told() {
    let setting = Setting::new();
    let image = setting.image("node", &[base(0o700)]);
    let layer = &image.manifest().layers[0];
    fs::remove_file(setting.store.blob_path(&layer.digest)).unwrap();
    fs::remove_dir_all(&image.layers()[0]).unwrap();
    let found = setting.store.find_image("node");
    assert!(matches!(found, Err(Error::Incomplete { .. })), "{found:?}");
    setting.store.remove_image("node").unwrap();
}
