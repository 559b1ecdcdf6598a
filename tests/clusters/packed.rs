//! Node images that hold their images packed, as published ones do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kind_image::Store;
use kind_image::build::{AddOns, Packing, Request, Source, build};

use crate::names::PACKED;
use crate::published_manifests::manifests;
use crate::world::{NODE, World};

/// Creates the cluster.
pub(crate) fn create(world: &World) {
    build_packed(world);
    let create = [
        "create",
        "cluster",
        "--name",
        PACKED,
        "--image",
        "kindest/node:packed",
    ];
    world.kind.run(&create).expect("create cluster");
}

pub(crate) fn packed_images_are_unpacked_once(world: &World) {
    let prepared = directories(&world.kind.state().join("prepared"));
    assert_eq!(prepared.len(), 1, "{prepared:?}");
    let shared = size(&prepared[0]);
    let node = world
        .kind
        .state()
        .join("nodes/packed-control-plane/var/lib/containerd");
    let own = size(&node);
    // The control plane runs from what was unpacked, and the node has a copy of none of it.
    assert!(
        shared > 200 << 20 && own < 32 << 20,
        "{shared} shared, {own} its own"
    );
    let told = world.kind.run(&["prune"]).expect("prune");
    assert!(
        !told.contains("unpacked images"),
        "a node uses them: {told}"
    );
    let delete = ["delete", "cluster", "--name", PACKED];
    world.kind.run(&delete).expect("delete cluster");
    let told = world.kind.run(&["prune"]).expect("prune");
    assert!(
        told.contains("Removed unpacked images of sha256:"),
        "{told}"
    );
    assert!(!prepared[0].exists());
}

/// What the node image's containerd has unpacked is shown to a node, which has a copy of none of it.
pub(crate) fn unpacked_images_are_not_copied(world: &World) {
    if world.engine.is_native() {
        let node = world.kind.state().join("nodes").join(NODE);
        let own = size(&node.join("var/lib/containerd"));
        assert!(own < 32 << 20, "{own} bytes of its own");
        return;
    }
    let ask = |question: &[&str]| world.engine.client(question).expect("the engine answers");
    let volumes = ask(&["volume", "ls", "--quiet"]);
    let sizes = volumes.lines().map(|volume| {
        let place = ask(&["volume", "inspect", "--format", "{{.Mountpoint}}", volume]);
        let place = Path::new(place.trim());
        if volume.starts_with("kind-var-") {
            ("shared", size(&place.join("var/lib/containerd")))
        } else {
            ("own", size(&place.join("lib/containerd")))
        }
    });
    let mut sizes: Vec<_> = sizes.collect();
    sizes.sort_unstable();
    let [("own", own), ("shared", shared)] = sizes[..] else {
        panic!("a volume of the node and one of the image: {volumes}");
    };
    assert!(
        shared > 200 << 20 && own < 32 << 20,
        "{shared} shared, {own} its own"
    );
}

/// Makes the image from what building the usual one has left behind.
fn build_packed(world: &World) {
    let cache = world.directory.path().join("packed-cache");
    fs::create_dir_all(&cache).unwrap();
    let usual = std::env::var_os("KIND_CACHE_DIR").map(PathBuf::from);
    let usual = usual.unwrap_or_else(|| PathBuf::from("/var/cache/kind"));
    for step in ["compile", "etcd", "node-root"] {
        copy(&usual.join(step), &cache);
    }
    let agents = directories(&world.kind.state().join("agents"));
    let add_ons = AddOns {
        manifests: manifests(),
        node_agent: agents[0].join("kind-node"),
    };
    let name = "docker.io/kindest/node:packed".parse().unwrap();
    let request = Request {
        packing: Packing::Packed,
        ..Request::new(Source::Debian, name, add_ons, cache)
    };
    let store = Store::open(&world.kind.state().join("images")).unwrap();
    build(&store, &request, &|_| ()).unwrap();
}

/// Copies a step's results, as links where that is possible.
fn copy(from: &Path, to: &Path) {
    let run = |option: &str| {
        let mut command = Command::new("cp");
        command
            .arg(option)
            .arg(from)
            .arg(to)
            .status()
            .unwrap()
            .success()
    };
    assert!(run("-al") || run("-a"), "{} can be copied", from.display());
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

/// Bytes of a directory on its own filesystem; mounts of the node are not seen from here.
fn size(path: &Path) -> u64 {
    let metadata = fs::symlink_metadata(path).unwrap();
    if metadata.is_dir() {
        fs::read_dir(path)
            .unwrap()
            .map(|entry| size(&entry.unwrap().path()))
            .sum()
    } else {
        metadata.len()
    }
}
