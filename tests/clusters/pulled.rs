//! From a build to a cluster by way of a registry, with every engine: the image is built for the engine,
//! pushed, forgotten, and pulled again by its digest.

use std::fs;

use kind_testkit::registry::Registry;
use serde_json::Value;

use crate::names::PULLED;
use crate::world::{NODE_IMAGE, World};

pub(crate) fn a_built_image_is_pushed_and_pulled(world: &World) {
    let registry = Registry::start();
    let image = registry.image("kindest/node:e2e");
    let digest = build(world, &image);
    forget(world, &image);
    let pinned = format!("{image}@{digest}");
    let create = ["create", "cluster", "--name", PULLED, "--wait", "2m"];
    let create = [&create[..], &["--output", "json", "--image", &pinned]].concat();
    let answer = world.kind.run(&create);
    assert_eq!(answer.code, 0, "{answer:#?}");
    let events = answer
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let events: Vec<Value> = events.collect();
    let bytes = events.iter().filter(|event| event["event"] == "progress");
    let most = bytes.filter_map(|event| event["done"].as_u64()).max();
    assert!(
        most > Some(100 << 20),
        "bytes of the pull are told: {events:#?}"
    );
    let log = registry.log();
    let asked = format!("/v2/kindest/node/manifests/{digest}");
    assert!(log.contains(&asked), "{asked:?} is missing in:\n{log}");
    let sent = |line: &&str| line.contains("method=GET") && line.contains("/blobs/sha256:");
    assert!(log.lines().filter(sent).count() > 1, "{log}");
    let ready = world.kind.ask(&["get", "nodes", "--no-headers"]);
    assert!(ready.expect("get nodes").contains(" Ready "));
    let delete = ["delete", "cluster", "--name", PULLED];
    world.kind.run(&delete).expect("delete cluster");
    world.nothing_is_left();
}

/// Builds the image into the engine and publishes it. Returns the digest that it has in the registry.
fn build(world: &World, image: &str) -> String {
    let temporary = world.directory.path().join("temporary");
    fs::create_dir_all(&temporary).unwrap();
    let build = ["build", "node-image", "debian", "--push", "--image", image];
    let output = world
        .kind
        .command(&build)
        .env("TMPDIR", &temporary)
        .output();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains(&format!("Image \"{image}\" build completed.")),
        "{told}"
    );
    assert_eq!(
        fs::read_dir(&temporary).unwrap().count(),
        0,
        "temporary files stay"
    );
    if !world.engine.is_native() {
        let known = ["image", "inspect", image];
        world
            .engine
            .client(&known)
            .expect("the engine has the image");
    }
    let pushed = format!("Pushed \"{image}\" as ");
    let digest = told
        .split_once(&pushed)
        .and_then(|(_, rest)| rest.split_once('.'));
    digest.map(|(digest, _)| digest.to_owned()).unwrap()
}

/// Takes the image, and everything that has its layers, from the engine.
fn forget(world: &World, image: &str) {
    if world.engine.is_native() {
        let told = world.kind.run(&["prune"]).expect("prune");
        assert!(told.contains(&format!("Removed image {image}")), "{told}");
        return;
    }
    for name in [image, NODE_IMAGE] {
        let removed = world.engine.client(&["rmi", "--force", name]);
        removed.expect("the engine forgets the image");
    }
}
