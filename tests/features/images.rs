//! Images made for the tests: the sample app's with one more layer.

use std::fs::{self, File};
use std::path::PathBuf;

use kind_image::Store;
use kind_image::archive;
use kind_image::store::{Layer, Placement};

use crate::world::World;

/// Name of the image of the sample app.
pub(crate) const SAMPLE: &str = "docker.io/library/kind-sample:v1";

/// Writes an archive of an image of that name whose topmost layer has these files.
pub(crate) fn with_files(world: &World, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let place = tempfile::tempdir_in(world.directory.path()).unwrap();
    let store = Store::open(&place.path().join("store")).unwrap();
    archive::read(&store, File::open(&world.sample).unwrap()).unwrap();
    let sample = store.find_image("kind-sample:v1").unwrap().unwrap();
    let mut draft = store.draft().unwrap();
    for layer in &sample.manifest().layers {
        let (diff_id, size) = (layer.digest.clone(), layer.size);
        assert!(draft.add_known(&Layer { diff_id, size }));
    }
    let layer = place.path().join("layer");
    for (path, text) in files {
        let path = layer.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    draft.add_directory(&layer, Placement::Move).unwrap();
    let config = sample.document().clone();
    let image = draft.commit(config, &[name.parse().unwrap()]).unwrap();
    let path = world.directory.path().join("image.tar");
    archive::write(&store, &[image], File::create(&path).unwrap()).unwrap();
    path
}

/// The image's own containerd imports for snapshotters that it is not configured for when it starts.
pub(crate) fn images_are_loaded_for_every_snapshotter(world: &World) {
    const CONFIG: &str = "/etc/containerd/config.toml";
    let switch = |from: &str, to: &str| {
        world.inside(&format!(
            "sed -i 's/snapshotter = \"{from}\"/snapshotter = \"{to}\"/' {CONFIG}; systemctl restart containerd"
        ));
    };
    for snapshotter in ["overlayfs", "native"] {
        switch("overlayfs", snapshotter);
        let name = format!("docker.io/library/kind-loaded:{snapshotter}");
        let marker = [("marker", snapshotter)];
        world.load(&with_files(world, &name, &marker));
        let listing = format!("ctr --namespace k8s.io snapshots --snapshotter {snapshotter} list");
        let unpacked = |listed: &str| {
            listed
                .lines()
                .filter(|row| row.contains("Committed"))
                .count()
        };
        assert!(unpacked(&world.inside(&listing)) >= 2, "{snapshotter}");
        assert!(
            world
                .inside("ctr --namespace k8s.io images list --quiet")
                .contains(&name)
        );
    }
    switch("native", "overlayfs");
}
