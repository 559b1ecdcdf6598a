//! One host, one engine, two commands: clusters of the original kind 0.33 are ours to use, and the other
//! way round.

use std::fs;
use std::path::Path;

use kind_e2e::Kind;

use crate::images::runs_in_a_pod;
use crate::names::{NODES, PAIR, THEIRS};
use crate::workloads::SAMPLE;
use crate::world::{NODE_IMAGE, World};

/// The original with the same home.
fn original(world: &World) -> Kind {
    let program = std::env::var_os("KIND_REFERENCE").unwrap();
    Kind::original(program.into(), world.directory.path(), world.engine.clone())
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The cluster of two nodes that an earlier test made.
pub(crate) fn the_original_takes_our_cluster_over(world: &World) {
    let original = original(world);
    let clusters = original.run(&["get", "clusters"]).expect("get clusters");
    assert_eq!(clusters, format!("{PAIR}\n"));
    let nodes = original.run(&["get", "nodes", "--name", PAIR]);
    assert_eq!(sorted(&nodes.expect("get nodes")), NODES);
    both_print_the_same_kubeconfig(world, &original, PAIR);
    world.engine.load(&world.sample).unwrap();
    let archive = world.sample.to_str().unwrap();
    // The original looks for images in docker whatever runs the nodes.
    let what = match world.engine.name() {
        "docker" => ["docker-image", SAMPLE],
        _ => ["image-archive", archive],
    };
    let load = [&["load", "--name", PAIR], &what[..]].concat();
    original.run(&load).expect("load");
    for node in NODES {
        logs_are_whole(
            &original,
            PAIR,
            node,
            &world.directory.path().join("theirs-of-ours"),
        );
    }
    let delete = original.run(&["delete", "cluster", "--name", PAIR]);
    delete.expect("delete cluster");
    assert_eq!(
        world.kind.run(&["get", "clusters"]).expect("get clusters"),
        ""
    );
    let kubeconfig = fs::read_to_string(world.kind.kubeconfig()).unwrap();
    assert!(!kubeconfig.contains(PAIR), "{kubeconfig}");
    world.nothing_is_left();
}

pub(crate) fn we_take_a_cluster_of_the_original_over(world: &World) {
    let original = original(world);
    let arguments = ["create", "cluster", "--name", THEIRS, "--wait", "2m"];
    let create = original.run(&[&arguments[..], &["--image", NODE_IMAGE]].concat());
    create.expect("the original creates a cluster");
    let clusters = world.kind.run(&["get", "clusters"]).expect("get clusters");
    assert_eq!(clusters, format!("{THEIRS}\n"));
    let node = format!("{THEIRS}-control-plane");
    let nodes = world.kind.run(&["get", "nodes", "--name", THEIRS]);
    assert_eq!(nodes.expect("get nodes"), format!("{node}\n"));
    both_print_the_same_kubeconfig(world, &original, THEIRS);
    fs::remove_file(world.kind.kubeconfig()).unwrap();
    let export = ["export", "kubeconfig", "--name", THEIRS];
    world.kind.run(&export).expect("export kubeconfig");
    let ready = world.kind.ask(&["get", "nodes", "--no-headers"]);
    assert!(ready.expect("get nodes").contains(" Ready "));
    world.engine.load(&world.sample).unwrap();
    let load = ["load", "docker-image", "--name", THEIRS, SAMPLE];
    world.kind.run(&load).expect("load docker-image");
    runs_in_a_pod(world, "ours", SAMPLE);
    let logs = world.directory.path().join("ours-of-theirs");
    logs_are_whole(&world.kind, THEIRS, &node, &logs);
    let delete = ["delete", "cluster", "--name", THEIRS];
    world.kind.run(&delete).expect("delete cluster");
    let none = original.run(&["get", "clusters"]).expect("get clusters");
    assert_eq!(none, "");
    world.nothing_is_left();
}

fn both_print_the_same_kubeconfig(world: &World, original: &Kind, cluster: &str) {
    for endpoint in [&[][..], &["--internal"]] {
        let arguments = [&["get", "kubeconfig", "--name", cluster], endpoint].concat();
        let ours = world.kind.run(&arguments).expect("get kubeconfig");
        let theirs = original.run(&arguments).expect("get kubeconfig");
        assert_eq!(ours, theirs, "{endpoint:?}");
    }
}

fn logs_are_whole(kind: &Kind, cluster: &str, node: &str, target: &Path) {
    let directory = target.to_str().unwrap();
    let export = ["export", "logs", "--name", cluster, directory];
    kind.run(&export).expect("export logs");
    for file in [
        "inspect.json",
        "kubelet.log",
        "containerd.log",
        "serial.log",
    ] {
        let path = target.join(node).join(file);
        let filled = fs::metadata(&path).is_ok_and(|file| file.len() > 0);
        assert!(filled, "{} is missing", path.display());
    }
    assert!(target.join(node).join("pods").is_dir());
}
