//! What is sent to nodes whose containerd is only played, and what is said about it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kind_engine::fake::Fake;
use kind_engine::{CLUSTER_LABEL, Engine, Error as EngineError, Io, NodeSpec, ROLE_LABEL};
use kind_image::archive::{Archive, PortableImage};
use kind_image::oci::{ImageConfig, Platform};
use kind_image::store::{Placement, Store};

use super::inventory::Inventory;
use super::verdict::{self, Verdict};
use super::{LoadImages, LoadOutcome, LoadedImage};
use crate::{Code, Event, Provider, Result, Verbosity, error_chain};

const NAME: &str = "docker.io/library/app:v1";

/// An archive of an image whose layers hold these texts.
fn archive(directory: &Path, layers: &[&str]) -> PathBuf {
    archive_for("amd64", directory, layers)
}

/// The same without any name, as `docker save ID` writes it.
fn nameless_archive(directory: &Path, layers: &[&str]) -> PathBuf {
    let named = std::fs::File::open(archive(directory, layers)).unwrap();
    let path = directory.join("nameless.tar");
    let mut nameless = tar::Builder::new(std::fs::File::create(&path).unwrap());
    for entry in tar::Archive::new(named).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name == "index.json" {
            continue;
        }
        if name == "manifest.json" {
            let mut images: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            images[0]["RepoTags"] = serde_json::Value::Null;
            bytes = images.to_string().into_bytes();
        }
        let mut header = entry.header().clone();
        header.set_size(bytes.len() as u64);
        let added = nameless.append_data(&mut header, name, bytes.as_slice());
        added.unwrap();
    }
    nameless.finish().unwrap();
    path
}

/// The same for another architecture.
fn archive_for(architecture: &str, directory: &Path, layers: &[&str]) -> PathBuf {
    let store = Store::open(&directory.join("store")).unwrap();
    let mut draft = store.draft().unwrap();
    for text in layers {
        let layer = directory.join("layer");
        std::fs::create_dir(&layer).unwrap();
        std::fs::write(layer.join(text), text.repeat(1000)).unwrap();
        draft.add_directory(&layer, Placement::Move).unwrap();
    }
    let config = ImageConfig {
        architecture: architecture.to_owned(),
        os: "linux".to_owned(),
        ..ImageConfig::default()
    };
    let image = draft.commit(config, &[NAME.parse().unwrap()]).unwrap();
    let path = directory.join(format!("{}.tar", layers.join("-")));
    let file = std::fs::File::create(&path).unwrap();
    kind_image::archive::write(&store, &[image], file).unwrap();
    path
}

fn image_in(path: &Path) -> PortableImage {
    let archive = Archive::open_file(path, path.parent().unwrap()).unwrap();
    let mut images = archive.images(&Platform::new("linux", "amd64")).unwrap();
    images.remove(0)
}

#[test]
fn a_node_lacks_what_is_neither_packed_nor_unpacked() {
    let place = tempfile::tempdir().unwrap();
    let image = image_in(&archive(place.path(), &["base", "middle", "top"]));
    let layers: Vec<_> = image.layers().iter().map(|layer| layer.digest()).collect();
    let chain = image.chain_ids();
    let id = image.id().to_string();
    let names = [(id.as_str(), image.digest()), (NAME, image.digest())];
    let wanted = |content: &[_], snapshots: &[_]| {
        let wanted = verdict::wanted_blobs(&image, &Inventory::of(&[], content, snapshots));
        let positions = layers.iter().enumerate();
        let wanted = positions.filter(|(_, layer)| wanted.contains(layer));
        wanted.map(|(position, _)| position).collect::<Vec<_>>()
    };
    assert_eq!(wanted(&[], &[]), [0, 1, 2]);
    assert_eq!(wanted(&[], &chain[..1]), [1, 2]);
    assert_eq!(wanted(&[layers[2]], &chain[..1]), [1]);
    // What lies below an unpacked layer is there as well, listed or not.
    assert_eq!(wanted(&[], &chain[1..2]), [2]);
    assert_eq!(wanted(&layers[..2], &[]), [2]);

    let documents = [image.id(), image.digest()];
    let verdict = |names, snapshots: &[_]| {
        verdict::judge_image(&image, &Inventory::of(names, &documents, snapshots))
    };
    assert_eq!(verdict(&names, &chain), Verdict::Present);
    assert_eq!(
        verdict(&names[..1], &chain),
        Verdict::Retag(vec![NAME.to_owned()])
    );
    assert_eq!(verdict(&[], &chain), Verdict::Missing);
    // As a failed import leaves it.
    assert_eq!(verdict(&names, &chain[..1]), Verdict::Missing);
    for lacking in [&documents[..1], &documents[1..]] {
        let inventory = Inventory::of(&names, lacking, &chain);
        assert_eq!(verdict::judge_image(&image, &inventory), Verdict::Missing);
    }
}

/// What the played containerd has and gets.
#[derive(Default)]
struct World {
    /// Rows of names.
    images: Mutex<String>,
    /// Documents by their digests.
    documents: BTreeMap<String, String>,
    snapshots: String,
    refuses: Mutex<u32>,
    tagging_fails: bool,
    /// What an import that is refused leaves, as rows of names.
    leaves: String,
    /// Sizes of the archives that were imported.
    imports: Mutex<Vec<usize>>,
}

impl World {
    fn run(&self, argv: &[String], io: Io<'_>) -> std::result::Result<i32, EngineError> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        match words[..] {
            ["sh", ..] => {
                let answer = format!(
                    "=== machine\nx86_64\n=== config\nversion = 3\n\
                     plugins.'io.containerd.cri.v1.images'.snapshotter = 'overlayfs'\n\
                     === images\n{}=== content\n{}=== snapshots overlayfs\n{}",
                    self.images.lock().unwrap(),
                    self.documents
                        .keys()
                        .map(|digest| format!("{digest}\n"))
                        .collect::<String>(),
                    self.snapshots
                );
                io.stdout.write_all(answer.as_bytes()).unwrap();
                Ok(0)
            }
            [_, _, "content", "get", digest] => {
                let document = self.documents[digest].as_bytes();
                io.stdout.write_all(document).unwrap();
                Ok(0)
            }
            [_, _, "images", "rm", name] => {
                let mut images = self.images.lock().unwrap();
                let rows = images.lines().filter(|row| !row.starts_with(name));
                *images = rows.map(|row| format!("{row}\n")).collect();
                Ok(0)
            }
            [_, _, "images", "tag", ..] => Ok(i32::from(self.tagging_fails)),
            [_, _, "images", "import", ..] => {
                let mut bytes = Vec::new();
                io.stdin.unwrap().read_to_end(&mut bytes).unwrap();
                self.imports.lock().unwrap().push(bytes.len());
                let mut refuses = self.refuses.lock().unwrap();
                let code = i32::from(*refuses > 0);
                if code > 0 {
                    self.images.lock().unwrap().push_str(&self.leaves);
                }
                *refuses = refuses.saturating_sub(1);
                io.stderr.write_all(b"what ctr says").unwrap();
                Ok(code)
            }
            _ => panic!("{words:?}"),
        }
    }
}

struct Stage {
    place: tempfile::TempDir,
    world: Arc<World>,
    engine: Arc<Fake>,
    said: Mutex<String>,
}

impl Stage {
    /// A cluster of a control plane, a worker and a load balancer.
    fn new(place: tempfile::TempDir, world: World) -> Self {
        let world = Arc::new(world);
        let node = Arc::clone(&world);
        let engine = Fake::new(&[], Box::new(move |_, argv, io| node.run(argv, io)));
        for role in ["control-plane", "worker", "external-load-balancer"] {
            let spec = NodeSpec {
                name: format!("kind-{role}"),
                labels: BTreeMap::from([
                    (CLUSTER_LABEL.to_owned(), "kind".to_owned()),
                    (ROLE_LABEL.to_owned(), role.to_owned()),
                ]),
                ..NodeSpec::default()
            };
            engine.create(&spec).unwrap();
        }
        Self {
            place,
            world,
            engine: Arc::new(engine),
            said: Mutex::default(),
        }
    }

    fn load(&self, options: LoadImages) -> Result<Vec<LoadedImage>> {
        let settings = Provider::builder().temporary_dir(self.place.path());
        let provider = Provider::on(Arc::clone(&self.engine) as Arc<dyn Engine>, settings);
        provider.load_images(options, &|event| {
            let text = match event {
                Event::Detail(detail) if detail.level == Verbosity::Normal => detail.text,
                Event::Warning(warning) => format!("WARNING: {warning}"),
                _ => return,
            };
            let mut said = self.said.lock().unwrap();
            said.push_str(&text);
            said.push('\n');
        })
    }

    fn said(&self) -> String {
        std::mem::take(&mut self.said.lock().unwrap())
    }

    fn imports(&self) -> Vec<usize> {
        std::mem::take(&mut self.world.imports.lock().unwrap())
    }
}

/// A containerd that has an image under names, with these layers unpacked.
fn having(image: &PortableImage, names: &[&str], layers: usize) -> World {
    let row = |name: &str| format!("{name} type {} 1 MiB\n", image.digest());
    let chain = image.chain_ids();
    let config = serde_json::to_string(image.document()).unwrap();
    World {
        images: Mutex::new(names.iter().map(|name| row(name)).collect()),
        documents: BTreeMap::from([
            (image.id().to_string(), config),
            (image.digest().to_string(), "{}".to_owned()),
        ]),
        snapshots: chain[..layers]
            .iter()
            .map(|id| format!("{id} Committed\n"))
            .collect(),
        ..World::default()
    }
}

#[test]
fn only_what_a_node_lacks_is_sent() {
    let place = tempfile::tempdir().unwrap();
    let path = archive(place.path(), &["base", "top"]);
    let image = image_in(&path);
    let id = image.id().to_string();
    let whole = std::fs::metadata(&path).unwrap().len() as usize;

    let stage = Stage::new(place, having(&image, &[], 1));
    stage.load(LoadImages::new("kind").archive(&path)).unwrap();
    let sent = stage.imports();
    assert_eq!(sent.len(), 2, "the load balancer takes no images");
    assert!(
        sent[0] + image.layers()[0].size() as usize <= whole,
        "{sent:?} of {whole}"
    );
    let one = LoadImages::new("kind")
        .nodes(["kind-worker"])
        .archive(&path);
    stage.load(one).unwrap();
    assert_eq!(stage.imports().len(), 1);

    // A node that turned out not to have them gets all layers, once.
    *stage.world.refuses.lock().unwrap() = 1;
    let one = LoadImages::new("kind")
        .nodes(["kind-worker"])
        .archive(&path);
    stage.load(one).unwrap();
    let sent = stage.imports();
    assert!(sent.len() == 2 && sent[0] < sent[1], "{sent:?}");
    *stage.world.refuses.lock().unwrap() = 2;
    let one = LoadImages::new("kind")
        .nodes(["kind-worker"])
        .archive(&path);
    let error = stage.load(one).unwrap_err();
    assert_eq!(error_chain(&error), "failed to load image: exit status 1");
    assert_eq!(error.output(), Some("what ctr says"));
    stage.imports();

    let stage = Stage::new(stage.place, having(&image, &[&id, NAME], 2));
    let file = std::fs::File::open(&path).unwrap();
    let loaded = stage.load(LoadImages::new("kind").stream(file)).unwrap();
    assert_eq!(stage.imports(), [0; 0]);
    assert!(
        loaded
            .iter()
            .all(|image| image.outcome == LoadOutcome::Present)
    );
}

#[test]
fn what_was_loaded_is_said_per_node() {
    let place = tempfile::tempdir().unwrap();
    let path = archive(place.path(), &["base"]);
    let image = image_in(&path);
    let id = image.id().to_string();
    for (world, outcome, said) in [
        (World::default(), LoadOutcome::Loaded, "loaded into node"),
        (
            having(&image, &[&id], 1),
            LoadOutcome::Named,
            "was on node \"kind-worker\" under another name",
        ),
        (
            having(&image, &[&id, NAME], 1),
            LoadOutcome::Present,
            "already present on node",
        ),
    ] {
        let stage = Stage::new(tempfile::tempdir().unwrap(), world);
        let loaded = stage.load(LoadImages::new("kind").archive(&path)).unwrap();
        let mut nodes: Vec<_> = loaded.iter().map(|image| image.node.as_str()).collect();
        nodes.sort_unstable();
        assert_eq!(nodes, ["kind-control-plane", "kind-worker"]);
        assert_eq!(
            (loaded[0].names.as_slice(), &loaded[0].id),
            (&[NAME.to_owned()][..], &id)
        );
        assert!(loaded.iter().all(|image| image.outcome == outcome));
        let told = stage.said();
        assert_eq!(told.lines().count(), 2, "{told}");
        let begin = format!("Image: {NAME:?} with ID {id:?} {said}");
        let of_worker = told.lines().find(|line| line.contains("\"kind-worker\""));
        assert!(of_worker.unwrap().starts_with(&begin), "{told}");
    }
}

#[test]
fn an_image_without_a_name_gets_the_same_one_each_time() {
    let place = tempfile::tempdir().unwrap();
    let path = nameless_archive(place.path(), &["base"]);
    let image = image_in(&path);
    assert_eq!(image.names(), []);
    let name = format!("localhost/loaded:{}", &image.id().hex()[..12]);
    let stage = Stage::new(place, World::default());
    let archives = LoadImages::new("kind")
        .nodes(["kind-worker"])
        .archive(&path);
    let loaded = stage.load(archives).unwrap();
    assert_eq!(loaded[0].names, [name.as_str()]);
    assert!(stage.said().contains(&name));
    // By its id out of a store, as it is saved then.
    let id = image.id().to_string();
    stage.engine.stock(&id, &id, std::fs::read(&path).unwrap());
    let stored = LoadImages::new("kind").nodes(["kind-worker"]).image(&id);
    assert_eq!(stage.load(stored).unwrap()[0].names, [name.as_str()]);
    // Once it is there it is not named anew.
    let there = having(&image, &[&id, &name], 1);
    let stage = Stage::new(stage.place, there);
    let archives = LoadImages::new("kind")
        .nodes(["kind-worker"])
        .archive(&path);
    assert_eq!(
        stage.load(archives).unwrap()[0].outcome,
        LoadOutcome::Present
    );
}

#[test]
fn a_failed_import_leaves_no_name_behind() {
    let place = tempfile::tempdir().unwrap();
    let path = archive(place.path(), &["base", "top"]);
    let image = image_in(&path);
    let id = image.id().to_string();
    let leaves = |name: &str| format!("{name} type {} 1 MiB\n", image.digest());
    let world = World {
        leaves: format!("{}{}", leaves(NAME), leaves(&id)),
        refuses: Mutex::new(2),
        ..World::default()
    };
    let stage = Stage::new(place, world);
    let one = || {
        LoadImages::new("kind")
            .nodes(["kind-worker"])
            .archive(&path)
    };
    *stage.world.refuses.lock().unwrap() = 1;
    stage.load(one()).unwrap_err();
    assert_eq!(*stage.world.images.lock().unwrap(), "");
    // A good one works afterwards.
    stage.imports();
    let loaded = stage.load(one()).unwrap();
    assert_eq!(
        (loaded[0].outcome, stage.imports().len()),
        (LoadOutcome::Loaded, 1)
    );
}

#[test]
fn one_flipped_byte_of_a_layer_is_told_and_sent_to_no_node() {
    let place = tempfile::tempdir().unwrap();
    let path = archive(place.path(), &["base", "top"]);
    let mut bytes = std::fs::read(&path).unwrap();
    let text = bytes
        .windows(6)
        .position(|bytes| bytes == b"toptop")
        .unwrap();
    bytes[text] ^= 1;
    let damaged = place.path().join("damaged.tar");
    std::fs::write(&damaged, bytes).unwrap();
    let stage = Stage::new(place, World::default());
    let error = stage.load(
        LoadImages::new("kind")
            .archive(&damaged)
            .nodes(["kind-worker"]),
    );
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::ImageMismatch);
    let told = error_chain(&error);
    assert!(
        told.starts_with("failed to load image: blobs/sha256/"),
        "{told}"
    );
    let whole = std::fs::metadata(&path).unwrap().len();
    let sent = stage.imports();
    assert!(sent.len() == 1 && (sent[0] as u64) < whole, "{sent:?}");
}

/// As a failed import left it: pods then said CreateContainerError, and this command "already present on all nodes".
#[test]
fn a_name_without_its_layers_is_not_the_image() {
    let place = tempfile::tempdir().unwrap();
    let path = archive(place.path(), &["base", "top"]);
    let image = image_in(&path);
    let id = image.id().to_string();
    for world in [
        having(&image, &[&id, NAME], 0),
        having(&image, &[&id, NAME], 1),
        World {
            documents: BTreeMap::new(),
            ..having(&image, &[&id, NAME], 2)
        },
    ] {
        let stage = Stage::new(tempfile::tempdir().unwrap(), world);
        let bytes = std::fs::read(&path).unwrap();
        stage.engine.stock("app:v1", &id, bytes);
        let stored = LoadImages::new("kind")
            .image("app:v1")
            .nodes(["kind-worker"]);
        assert_eq!(stage.load(stored).unwrap()[0].outcome, LoadOutcome::Loaded);
        assert_eq!(stage.imports().len(), 1);
        let archives = LoadImages::new("kind")
            .archive(&path)
            .nodes(["kind-worker"]);
        assert_eq!(
            stage.load(archives).unwrap()[0].outcome,
            LoadOutcome::Loaded
        );
    }
}

#[test]
fn images_of_the_engine_are_told_of_in_kinds_words() {
    let place = tempfile::tempdir().unwrap();
    let path = archive(place.path(), &["base"]);
    let image = image_in(&path);
    let id = image.id().to_string();
    let stock = |stage: &Stage, id: &str| {
        stage
            .engine
            .stock("app:v1", id, std::fs::read(&path).unwrap());
    };
    let load = || LoadImages::new("kind").image("app:v1").image("app:v1");

    let stage = Stage::new(place, World::default());
    stock(&stage, &id);
    stage.load(load()).unwrap();
    let said = stage.said();
    let kinds = format!(
        "Image: \"app:v1\" with ID \"{id}\" not yet present on node \"kind-worker\", loading...\n\
         Image: \"app:v1\" with ID \"{id}\" not yet present on node \"kind-control-plane\", loading...\n"
    );
    let rest = said.strip_prefix(&kinds).unwrap();
    assert_eq!(rest.matches("loaded into node").count(), 2, "{rest}");
    assert_eq!(stage.imports().len(), 2);

    let stage = Stage::new(stage.place, having(&image, &[&id, NAME], 1));
    // As podman calls it.
    stock(&stage, id.strip_prefix("sha256:").unwrap());
    stage.load(load()).unwrap();
    let present = |id: &str| {
        format!("Image: \"app:v1\" with ID \"{id}\" found to be already present on all nodes.\n")
    };
    assert_eq!(stage.said(), present(&id));
    assert!(!stage.engine.calls().contains(&"save app:v1".to_owned()));
    // With docker's containerd store the id is that of an index; the image shows what it is.
    let index = format!("sha256:{}", "0".repeat(64));
    stock(&stage, &index);
    stage.load(load()).unwrap();
    assert_eq!((stage.said(), stage.imports().len()), (present(&index), 0));

    let stage = Stage::new(stage.place, having(&image, &[&id], 1));
    stock(&stage, &id);
    stage.load(load().nodes(["kind-worker"])).unwrap();
    let missing = format!(
        "Image with ID: {id} already present on the node kind-worker but is missing the tag {NAME}. \
         re-tagging...\n"
    );
    assert_eq!((stage.said(), stage.imports().len()), (missing.clone(), 0));

    let failing = World {
        tagging_fails: true,
        ..having(&image, &[&id], 1)
    };
    let stage = Stage::new(stage.place, failing);
    stock(&stage, &id);
    stage.load(load().nodes(["kind-worker"])).unwrap();
    let said = stage.said();
    assert!(said.starts_with(&missing), "{said}");
    let failed = "failed to re-tag image on the node kind-worker due to an error ";
    assert!(
        said.contains(failed) && said.contains(". Will load it instead...\n"),
        "{said}"
    );
    assert_eq!(stage.imports().len(), 1);
}

#[test]
fn an_image_for_another_machine_is_loaded_and_told() {
    let place = tempfile::tempdir().unwrap();
    let path = archive_for("s390x", place.path(), &["base"]);
    let stage = Stage::new(place, World::default());
    stage.load(LoadImages::new("kind").archive(&path)).unwrap();
    let said = stage.said();
    assert_eq!(said.matches("WARNING: ").count(), 1, "{said}");
    let told = format!("image {NAME} is for linux/s390x, and nodes are ");
    assert!(said.contains(&told), "{said}");
    assert!(said.contains("`docker save --platform linux/"), "{said}");
    assert_eq!(stage.imports().len(), 2);
}

#[test]
fn what_cannot_be_is_told_in_kinds_words() {
    let stage = Stage::new(tempfile::tempdir().unwrap(), World::default());
    let file = stage.place.path().join("a.tar");
    std::fs::write(&file, "no tar").unwrap();
    let told = |options: LoadImages| error_chain(&stage.load(options).unwrap_err());
    let missing = LoadImages::new("kind").archive("/nowhere/a.tar");
    assert_eq!(
        told(missing),
        "stat /nowhere/a.tar: no such file or directory"
    );
    let absent = LoadImages::new("kind").image("absent:v1");
    assert_eq!(told(absent), "image: \"absent:v1\" not present locally");
    let other = LoadImages::new("other").archive(&file);
    assert_eq!(told(other), "no nodes found for cluster \"other\"");
    let node = || LoadImages::new("kind").nodes(["kind-worker9"]);
    assert_eq!(told(node().archive(&file)), "unknown node: kind-worker9");
    assert_eq!(
        told(node().image("app:v1")),
        "unknown node: \"kind-worker9\""
    );
    let balancer = LoadImages::new("kind").nodes(["kind-external-load-balancer"]);
    assert_eq!(
        told(balancer.archive(&file)),
        "unknown node: kind-external-load-balancer"
    );
    let damaged = told(LoadImages::new("kind").archive(&file));
    assert!(
        damaged.starts_with("failed to read image archive "),
        "{damaged}"
    );
    assert_eq!(stage.imports(), [0; 0]);
}
