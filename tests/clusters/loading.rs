//! Archives of every form, what a node gets of them, and what is left to remove.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kind_e2e::eventually;
use kind_image::archive;
use kind_image::store::{Layer, Placement, Store};
use serde_json::{Value, json};

use crate::inside::run_in_node;
use crate::world::{NODE, World};

/// The sample app's image with one more layer, in which a file says which image it is.
pub(crate) struct Images<'a> {
    world: &'a World,
    directory: PathBuf,
    store: Store,
}

impl<'a> Images<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let directory = world.directory.path().join("images");
        fs::create_dir_all(&directory).unwrap();
        let store = Store::open(&directory.join("store")).unwrap();
        archive::read(&store, File::open(&world.sample).unwrap()).unwrap();
        Self {
            world,
            directory,
            store,
        }
    }

    /// An archive of an image of that tag, for an architecture.
    fn archive(&self, tag: &str, architecture: &str) -> PathBuf {
        self.padded_archive(tag, architecture, 0)
    }

    /// The same with so many bytes beside the marker, which nothing makes smaller.
    fn padded_archive(&self, tag: &str, architecture: &str, padding: u64) -> PathBuf {
        let sample = self.store.find_image("kind-sample:v1").unwrap().unwrap();
        let mut draft = self.store.draft().unwrap();
        for layer in &sample.manifest().layers {
            let (diff_id, size) = (layer.digest.clone(), layer.size);
            assert!(draft.add_known(&Layer { diff_id, size }));
        }
        let text = format!("{tag} on {architecture}");
        let layer = self.directory.join("layer");
        fs::create_dir(&layer).unwrap();
        fs::write(layer.join("marker"), &text).unwrap();
        let mut noise = File::open("/dev/urandom").unwrap().take(padding);
        io::copy(
            &mut noise,
            &mut File::create(layer.join("padding")).unwrap(),
        )
        .unwrap();
        draft.add_directory(&layer, Placement::Move).unwrap();
        let mut config = sample.document().clone();
        architecture.clone_into(&mut config.architecture);
        let image = draft.commit(config, &[name(tag).parse().unwrap()]).unwrap();
        let path = self.directory.join(format!("{tag}-{architecture}.tar"));
        archive::write(&self.store, &[image], File::create(&path).unwrap()).unwrap();
        path
    }

    /// An archive for this machine.
    fn own(&self, tag: &str) -> PathBuf {
        self.archive(tag, architecture())
    }

    /// An archive for this machine that is not loaded in a moment.
    pub(crate) fn large(&self, tag: &str) -> PathBuf {
        self.padded_archive(tag, architecture(), 64 << 20)
    }

    /// What the command tells of a load from `input`.
    fn load(&self, archive: &str, input: Stdio) -> String {
        let arguments = ["load", "image-archive", "--name", "e2e", "-v2", archive];
        let mut command = self.world.kind.command(&arguments);
        let output = command.stdin(input).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        assert_eq!(output.stdout, b"");
        told
    }
}

fn name(tag: &str) -> String {
    format!("docker.io/library/kind-loaded:{tag}")
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}

fn other_architecture() -> &'static str {
    match architecture() {
        "amd64" => "arm64",
        _ => "amd64",
    }
}

/// A pod with a container of each image, which says which image it is.
fn images_run(world: &World, pod: &str, tags: &[&str]) {
    let containers = tags.iter().map(|tag| {
        let image = name(tag);
        format!(
            "  - name: {tag}\n    image: {image}\n    imagePullPolicy: Never\n    \
             command: [/bin/cat, /marker]\n"
        )
    });
    let containers: String = containers.collect();
    world.kind.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {pod}\nspec:\n  restartPolicy: Never\n  \
         containers:\n{containers}"
    ));
    for tag in tags {
        eventually("the image runs", 60, || {
            let logs = world.kind.ask(&["logs", pod, "-c", tag]);
            if logs.stdout == format!("{tag} on {}", architecture()) {
                Ok(())
            } else {
                Err(logs)
            }
        });
    }
}

pub(crate) fn only_missing_layers_are_sent(world: &World) {
    let images = Images::new(world);
    let archive = images.own("shared");
    let archive = archive.to_str().unwrap();
    let told = images.load(archive, Stdio::null());
    // The sample app was loaded before.
    assert!(told.contains("sending 1 layers ("), "{told}");
    let again = images.load(archive, Stdio::null());
    assert!(
        !again.contains("sending") && again.contains("already present on node"),
        "{again}"
    );
    images_run(world, "shared", &["shared"]);
}

pub(crate) fn archives_are_loaded_in_every_form(world: &World) {
    let images = Images::new(world);
    for (tag, packer) in [("gzip", "gzip"), ("zstd", "zstd")] {
        let plain = images.own(tag);
        let packed = images.directory.join(format!("{tag}.packed"));
        let packing = Command::new(packer)
            .arg("-c")
            .arg(&plain)
            .stdout(File::create(&packed).unwrap())
            .status();
        assert!(packing.unwrap().success());
        images.load(packed.to_str().unwrap(), Stdio::null());
    }
    let stream = File::open(images.own("stdin")).unwrap();
    images.load("-", stream.into());
    let layout = images.directory.join("layout");
    unpack(&images.own("directory"), &layout);
    images.load(layout.to_str().unwrap(), Stdio::null());
    images_run(world, "forms", &["gzip", "zstd", "stdin", "directory"]);
}

/// The bytes of an archive's own text, one of which is another.
fn damage(archive: &Path, text: &str) -> PathBuf {
    let mut bytes = fs::read(archive).unwrap();
    let mut windows = bytes.windows(text.len());
    let place = windows.position(|bytes| bytes == text.as_bytes()).unwrap();
    bytes[place] ^= 1;
    let damaged = archive.with_extension("damaged");
    fs::write(&damaged, bytes).unwrap();
    damaged
}

/// Pods of such an image could not start, and the good one was said to be there.
pub(crate) fn a_damaged_archive_leaves_no_name(world: &World) {
    let images = Images::new(world);
    let good = images.own("damaged");
    let damaged = damage(&good, &format!("damaged on {}", architecture()));
    let load = ["load", "image-archive", "--name", "e2e"];
    let answer = world
        .kind
        .run(&[&load[..], &[damaged.to_str().unwrap()]].concat());
    assert_eq!(answer.code, 1, "{answer:#?}");
    assert!(
        answer.stderr.contains(" is damaged: its digest is "),
        "{answer:#?}"
    );
    let names = run_in_node(world, &["crictl", "images"]);
    assert!(!names.contains("kind-loaded:damaged"), "{names}");
    let told = images.load(good.to_str().unwrap(), Stdio::null());
    let loaded = format!("Image: \"{}\" with ID ", name("damaged"));
    assert!(
        told.contains(&loaded) && told.contains(&format!(" loaded into node \"{NODE}\"")),
        "{told}"
    );
    images_run(world, "damaged", &["damaged"]);
}

/// As `docker save ID` writes it.
pub(crate) fn an_archive_without_names_is_called_by_its_id(world: &World) {
    let images = Images::new(world);
    let layout = images.directory.join("nameless");
    unpack(&images.own("nameless"), &layout);
    let manifest = fs::read(layout.join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest[0]["RepoTags"] = Value::Null;
    fs::write(layout.join("manifest.json"), manifest.to_string()).unwrap();
    fs::remove_file(layout.join("index.json")).unwrap();
    let config = manifest[0]["Config"].as_str().unwrap();
    let (_, id) = config.rsplit_once('/').unwrap();
    let named = format!("localhost/loaded:{}", &id[..12]);
    for said in ["loaded into node", "already present on node"] {
        let told = images.load(layout.to_str().unwrap(), Stdio::null());
        assert!(told.contains(&named) && told.contains(said), "{told}");
    }
    let list = ["ctr", "--namespace=k8s.io", "images", "list", "--quiet"];
    let names = run_in_node(world, &list);
    assert!(names.contains(&named), "{names}");
    assert!(!names.contains("import-"), "a date is in a name: {names}");
}

pub(crate) fn the_nodes_platform_is_loaded(world: &World) {
    let images = Images::new(world);
    let layout = images.directory.join("platforms");
    let mut manifests = Vec::new();
    for architecture in [other_architecture(), architecture()] {
        unpack(&images.archive("platform", architecture), &layout);
        let index = fs::read(layout.join("index.json")).unwrap();
        let mut index: Value = serde_json::from_slice(&index).unwrap();
        let mut entry = index["manifests"][0].take();
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        manifests.push(entry);
    }
    // Docker's own list of images knows no platforms.
    fs::remove_file(layout.join("manifest.json")).unwrap();
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    images.load(layout.to_str().unwrap(), Stdio::null());
    images_run(world, "platform", &["platform"]);
}

fn unpack(archive: &Path, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(archive).arg("-C").arg(directory);
    assert!(tar.status().unwrap().success());
}

/// On the native engine the store has what was pulled; here a test puts an image there.
pub(crate) fn images_of_the_store_are_loaded(world: &World) {
    let images = Images::new(world);
    let archive = images.own("stored");
    let store = Store::open(&world.kind.state().join("images")).unwrap();
    let stored = archive::read(&store, File::open(archive).unwrap()).unwrap();
    let load = |name: &str| {
        let answer = world
            .kind
            .run(&["load", "docker-image", "--name", "e2e", name]);
        assert_eq!(answer.code, 0, "{answer:#?}");
        answer.stderr
    };
    let told = load("kind-loaded:stored");
    let loading = format!(
        "Image: \"kind-loaded:stored\" with ID \"{}\" not yet present on node \"e2e-control-plane\", loading...\n",
        stored[0].id()
    );
    assert!(told.starts_with(&loading), "{told}");
    assert!(
        told.contains("loaded into node \"e2e-control-plane\""),
        "{told}"
    );
    assert!(load("kind-loaded:stored").contains("found to be already present on all nodes."));
    store.tag(&stored[0], "kind-loaded:another").unwrap();
    let told = load("kind-loaded:another");
    assert!(
        told.contains("is missing the tag docker.io/library/kind-loaded:another. re-tagging..."),
        "{told}"
    );
    images_run(world, "stored", &["stored"]);
}

/// Goes by what the test before has put into the store.
pub(crate) fn what_no_cluster_uses_is_removed(world: &World) {
    let prune = |arguments: &[&str]| {
        let answer = world.kind.run(&[&["prune"], arguments].concat());
        answer.expect("prune")
    };
    let image =
        "image docker.io/library/kind-loaded:another, docker.io/library/kind-loaded:stored (";
    let told = prune(&["--dry-run"]);
    assert!(told.contains(&format!("Would remove {image}")), "{told}");
    let told = prune(&[]);
    assert!(told.contains(&format!("Removed {image}")), "{told}");
    assert!(
        !told.contains("kind.local/node"),
        "the cluster's own image stays: {told}"
    );
    assert!(
        !prune(&["--dry-run"]).contains("image "),
        "nothing is left to remove"
    );
    world
        .kind
        .ask(&["get", "nodes"])
        .expect("the cluster goes on");
}
