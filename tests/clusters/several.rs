//! Clusters of two nodes.

use std::fs;

use kind_e2e::{Answer, eventually};
use kind_testkit::schema::Schema;
use serde_json::{Value, json};

use crate::fields::FIELDS;
use crate::json::documents;
use crate::workloads::SAMPLE;
use crate::world::World;

/// The cluster of two nodes.
pub(crate) const PAIR: &str = "pair";

/// Its nodes.
pub(crate) const NODES: [&str; 2] = ["pair-control-plane", "pair-worker"];

/// What Kubernetes' own end-to-end script asks for, beside fields of ours.
const CONFIG: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1beta1
name: pair
featureGates: {}
runtimeConfig: {}
kubeadmConfigPatches:
- |
  kind: ClusterConfiguration
  metadata:
    name: config
  apiVersion: kubeadm.k8s.io/v1beta4
  apiServer:
    extraArgs:
    - name: \"v\"
      value: \"4\"
- |
  kind: ClusterConfiguration
  metadata:
    name: config
  apiVersion: kubeadm.k8s.io/v1beta3
  apiServer:
    extraArgs:
      \"v\": \"4\"
";

/// A pod on one node asks a pod on the other by its service's name, both ways.
pub(crate) fn two_nodes_reach_each_other(world: &World) {
    let answer = create(world);
    assert_eq!(answer.code, 0, "{answer:#?}");
    let told = documents(&Schema::published("cli-v1"), &answer);
    assert_eq!(told.last().unwrap()["context"], "kind-pair");
    for phase in ["prepareNodes", "joinWorkers", "waitReady"] {
        let ended = |told: &&Value| told["event"] == "phaseEnded" && told["phase"] == phase;
        let ended = told.iter().find(ended);
        assert_eq!(
            ended.map(|told| &told["outcome"]),
            Some(&json!("done")),
            "{phase}"
        );
    }
    let found = world.kind.run(&["get", "nodes", "--name", PAIR]);
    let found = found.expect("get nodes");
    let mut found: Vec<_> = found.lines().collect();
    found.sort_unstable();
    assert_eq!(found, NODES);
    eventually("both nodes are ready", 60, || {
        let nodes = world.kind.ask(&["get", "nodes", "--no-headers"]);
        if nodes.stdout.matches(" Ready ").count() == 2 {
            Ok(())
        } else {
            Err(nodes)
        }
    });
    // A controller manager of 1.20 takes ten seconds before it makes one.
    eventually("pods have a service account", 60, || {
        match world.kind.ask(&["get", "serviceaccount", "default"]) {
            Answer { code: 0, .. } => Ok(()),
            answer => Err(answer),
        }
    });
    let archive = world.sample.to_str().unwrap();
    let load = ["load", "image-archive", "--name", PAIR, archive];
    world.kind.run(&load).expect("load image-archive");
    for node in NODES {
        world.kind.apply(&server(node));
    }
    let ready = [
        "wait",
        "--for=condition=Ready",
        "--timeout=90s",
        "pod",
        "--all",
    ];
    world.kind.ask(&ready).expect("pods start");
    for [from, to] in [NODES, [NODES[1], NODES[0]]] {
        let ask = format!(
            "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {to}.default.svc.cluster.local 80"
        );
        let expected = format!("Hello from pod {to}");
        eventually("the other node's pod answers", 30, || {
            let answer = world.kind.shell(from, &ask);
            if answer.stdout.contains(&expected) {
                Ok(())
            } else {
                Err(answer)
            }
        });
    }
}

fn create(world: &World) -> Answer {
    let path = world.directory.path().join("pair.yaml");
    fs::write(&path, format!("{CONFIG}{FIELDS}")).unwrap();
    let arguments = [
        "-ojson",
        "create",
        "cluster",
        "--retain",
        "--wait=2m",
        "-v=3",
    ];
    let config = format!("--config={}", path.display());
    let arguments = [&arguments[..], &[&config], &world.image()];
    world.kind.run(&arguments.concat())
}

/// The sample app on one node as a pod and a service of the node's name.
fn server(node: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {node}\n  labels:\n    app: {node}\nspec:\n  \
         nodeName: {node}\n  tolerations:\n  - operator: Exists\n  terminationGracePeriodSeconds: 0\n  \
         containers:\n  - name: main\n    image: {SAMPLE}\n    imagePullPolicy: Never\n\
         ---\napiVersion: v1\nkind: Service\nmetadata:\n  name: {node}\nspec:\n  selector:\n    app: {node}\n  \
         ports:\n  - port: 80\n    targetPort: 8080\n"
    )
}

pub(crate) fn two_nodes_are_deleted(world: &World) {
    let delete = ["delete", "cluster", "--name", PAIR];
    world.kind.run(&delete).expect("delete cluster");
    world.nothing_is_left();
}
