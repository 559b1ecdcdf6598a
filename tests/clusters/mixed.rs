//! Nodes of one cluster with images of their own, as clusters of several versions have them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::faults::clusters;
use crate::names::MIXED;
use crate::world::{NODE_IMAGE, World};

/// Another name of the node image, for the worker.
const OTHER: &str = "docker.io/kindest/node:other";

const CONFIG: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: mixed
nodes:
- {role: control-plane, image: 'docker.io/kindest/node:debian'}
- {role: worker, image: 'docker.io/kindest/node:other'}
";

pub(crate) fn nodes_have_images_of_their_own(world: &World) {
    name_images(world);
    let path = world.directory.path().join("mixed.yaml");
    fs::write(&path, CONFIG).unwrap();
    let config = format!("--config={}", path.display());
    let create = world.kind.run(&["create", "cluster", "--wait=2m", &config]);
    create.expect("create cluster");
    let listed = world
        .kind
        .run(&["get", "nodes", "--name", MIXED, "--output=json"]);
    let listed: Value = serde_json::from_str(&listed.expect("get nodes")).unwrap();
    let nodes = listed["nodes"].as_array().unwrap().iter();
    let images: BTreeMap<_, _> = nodes
        .map(|node| (node["role"].as_str().unwrap(), node["image"].as_str()))
        .collect();
    let expected = [("control-plane", Some(NODE_IMAGE)), ("worker", Some(OTHER))];
    assert_eq!(images, expected.into());
}

/// They remove the same nodes; who comes late waits for who does it.
pub(crate) fn three_deletions_at_once_all_succeed(world: &World) {
    let delete = ["delete", "cluster", "--name", MIXED];
    let deletions = [(); 3].map(|()| world.kind.spawn(&delete));
    for deletion in deletions {
        let output = deletion.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:#?}");
    }
    assert!(!clusters(world).contains(MIXED));
    if !world.engine.is_native() {
        // Other tests take the image from the engine.
        let forget = world.engine.client(&["rmi", OTHER]);
        forget.expect("rmi");
    }
}

/// Has the engine know the node image by both names.
fn name_images(world: &World) {
    if !world.engine.is_native() {
        let tag = world.engine.client(&["tag", NODE_IMAGE, OTHER]);
        tag.expect("tag");
        return;
    }
    for name in [NODE_IMAGE, OTHER] {
        let build = ["build", "node-image", "debian", "--image", name];
        world.kind.run(&build).expect("build node-image");
    }
}
