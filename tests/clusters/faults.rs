//! Commands and hosts that die in the middle, and what can still be done then.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use kind_e2e::{eventually, limit};
use serde_json::Value;

use crate::names::VICTIM;
use crate::world::{NODE, World};

/// Begins to create the victim.
fn begin(world: &World) -> Child {
    let arguments = ["create", "cluster", "--wait", "2m", "--name", VICTIM];
    world.kind.spawn(&[&arguments[..], &world.image()].concat())
}

pub(crate) fn clusters(world: &World) -> String {
    world.kind.run(&["get", "clusters"]).expect("get clusters")
}

fn delete_victim(world: &World) {
    let arguments = ["delete", "cluster", "--name", VICTIM];
    world.kind.run(&arguments).expect("delete cluster");
}

/// Ctrl-C at any moment of a create: what it made goes, the other cluster stays.
pub(crate) fn an_interrupted_create_cleans_up(world: &World) {
    for delay in [100, 250, 500, 1_500, 3_000] {
        let mut child = begin(world);
        std::thread::sleep(Duration::from_millis(delay));
        signal("-INT", &child.id().to_string());
        let deadline = Instant::now() + Duration::from_secs(60);
        while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = child.try_wait().unwrap();
        let _ = child.kill();
        let code = status.and_then(|status| status.code());
        assert_eq!(code, Some(130), "after {delay} ms");
        assert_eq!(clusters(world), "e2e\n", "after {delay} ms");
        let kubeconfig = fs::read_to_string(world.kind.kubeconfig()).unwrap();
        assert!(!kubeconfig.contains(VICTIM), "after {delay} ms");
    }
}

/// What a user may get wrong so that no cluster can start, and the id of the cause that is told.
const WRONG: [(&str, &str); 3] = [
    (
        "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiServer: {extraArgs: {no-such-flag: \"1\"}}}']",
        "unknown-flag",
    ),
    (
        "kubeadmConfigPatches: ['{kind: KubeletConfiguration, maxPods: -1}']",
        "kubelet-configuration",
    ),
    (
        "containerdConfigPatches: ['plugins.\"io.containerd.grpc.v1.cri\".stream_idle_timeout = \"soon\"']",
        "no-cri",
    ),
];

/// What nothing heals is not waited for: the creation ends with the cause, its lines and what mends it.
pub(crate) fn what_cannot_heal_ends_a_creation_at_once(world: &World) {
    let config = world.directory.path().join("wrong.yaml");
    let before = clusters(world);
    for (wrong, id) in WRONG {
        let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4";
        fs::write(&config, format!("{header}\n{wrong}\n")).unwrap();
        let path = config.to_str().unwrap();
        let create = ["create", "cluster", "--name", VICTIM, "--config", path];
        let create = [&create[..], &["-o", "json"], &world.image()].concat();
        let began = Instant::now();
        let answer = world.kind.run(&create);
        assert_eq!(answer.code, 1, "{id}: {answer:#?}");
        let documents = answer.stderr.lines().rev();
        let mut documents = documents.filter_map(|line| serde_json::from_str(line).ok());
        let error: Value = documents
            .find(|document: &Value| document["kind"] == "Error")
            .unwrap();
        let cause = &error["causes"][0];
        assert_eq!(cause["id"], id, "{error:#}");
        assert_eq!(cause["severity"], "error", "{error:#}");
        assert!(cause["evidence"][0]["lines"][0].is_string(), "{error:#}");
        assert_eq!(error["remedy"], cause["remedy"], "{error:#}");
        let limit = limit(120);
        assert!(began.elapsed() < limit, "{id} took {:?}", began.elapsed());
        let logs = error["evidence"].as_str().unwrap();
        fs::remove_dir_all(logs).unwrap();
        assert_eq!(clusters(world), before, "{id}");
    }
}

/// `kill -9` of the command in the middle: the next one can still clean up.
pub(crate) fn a_killed_create_can_be_deleted(world: &World) {
    let mut child = begin(world);
    let node = world.kind.state().join("nodes/victim-control-plane");
    let runs = || {
        if node.join("run.json").exists() {
            Ok(())
        } else {
            Err(())
        }
    };
    eventually("the node runs", 60, runs);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(clusters(world), "e2e\nvictim\n");
    delete_victim(world);
    assert_eq!(clusters(world), "e2e\n");
    assert!(!node.exists());
}

/// Two commands for the same cluster: one makes it, the other says that it exists and harms nothing.
pub(crate) fn of_two_creates_at_once_one_wins(world: &World) {
    let outputs = [begin(world), begin(world)].map(|child| child.wait_with_output().unwrap());
    let mut codes: Vec<_> = outputs.iter().map(|output| output.status.code()).collect();
    codes.sort();
    assert_eq!(codes, [Some(0), Some(1)], "{outputs:#?}");
    let context = ["--context", "kind-victim", "get", "nodes", "--no-headers"];
    let nodes = world.kind.ask(&context).expect("get nodes");
    assert!(nodes.contains(" Ready "), "{nodes}");
    delete_victim(world);
    // The first cluster's context is the current one again for the tests to come.
    let export = ["export", "kubeconfig", "--name", "e2e"];
    world.kind.run(&export).expect("export kubeconfig");
}

pub(crate) fn signal(name: &str, pid: &str) {
    let status = Command::new("kill").args([name, pid]).status().unwrap();
    assert!(status.success(), "kill {name} {pid}");
}

/// As after a power cut: every process of the node is gone, and with them its namespaces and mounts.
pub(crate) fn a_dead_cluster_can_be_deleted(world: &World) {
    let run = fs::read(world.kind.state().join("nodes").join(NODE).join("run.json")).unwrap();
    let run: Value = serde_json::from_slice(&run).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", run["pid"])).unwrap();
    let monitor = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap()
        .trim();
    signal("-KILL", monitor);
    let process = format!("/proc/{}", run["pid"]);
    eventually("the node's end", 20, || {
        if Path::new(&process).exists() {
            Err(())
        } else {
            Ok(())
        }
    });
    assert_eq!(
        world.kind.run(&["get", "clusters"]).expect("get clusters"),
        "e2e\n"
    );
    let answer = world.kind.run(&["delete", "cluster", "--name", "e2e"]);
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert_eq!(
        answer.stderr,
        format!("Deleting cluster \"e2e\" ...\nDeleted nodes: [\"{NODE}\"]\n")
    );
    assert!(
        !fs::read_to_string(world.kind.kubeconfig())
            .unwrap()
            .contains("kind-e2e")
    );
    world.nothing_is_left();
}

pub(crate) fn deleting_leaves_nothing(world: &World) {
    let answer = world.kind.run(&["delete", "cluster", "--name", "e2e"]);
    assert_eq!(answer.code, 0, "{answer:#?}");
    let expected = format!("Deleting cluster \"e2e\" ...\nDeleted nodes: [\"{NODE}\"]\n");
    assert!(answer.stderr.ends_with(&expected), "{answer:#?}");
    let kubeconfig = fs::read_to_string(world.kind.kubeconfig()).unwrap();
    assert!(!kubeconfig.contains("kind-e2e"), "{kubeconfig}");
    world.nothing_is_left();
}

/// The first create may have built the image; this one must only make a cluster.
pub(crate) fn a_second_create_builds_nothing(world: &World) {
    let answer = world.create();
    assert_eq!(answer.code, 0, "{answer:#?}");
    for step in ["Compiling", "Installing the node", "Preloading"] {
        assert!(!answer.stderr.contains(step), "{}", answer.stderr);
    }
    let ready = world
        .kind
        .ask(&["get", "nodes", "--no-headers"])
        .expect("get nodes");
    assert!(ready.contains(" Ready "), "{ready}");
    world
        .kind
        .run(&["delete", "cluster", "--name", "e2e"])
        .expect("delete cluster");
    world.nothing_is_left();
}
