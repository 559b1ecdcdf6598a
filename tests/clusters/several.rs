//! Clusters of two nodes.

use std::fs;

use kind_e2e::{Answer, eventually};
use kind_testkit::schema::Schema;
use serde_json::{Value, json};

use crate::fields::FIELDS;
use crate::json::documents;
use crate::names::{NODES, PAIR};
use crate::pages::{GREETING, from_pod};
use crate::workloads::SAMPLE;
use crate::world::World;

/// The port of a node that leads to its pod.
pub(crate) const HOST_PORT: u16 = 8088;

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
    let answer = create_pair(world);
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
    servers_start(world, PAIR, "RequireDualStack");
    names_lead_to_the_other_node(world, NODES);
}

/// Each node's pod gets the other one's page by its service's name.
pub(crate) fn names_lead_to_the_other_node(world: &World, [one, other]: [&str; 2]) {
    for [from, to] in [[one, other], [other, one]] {
        let expected = format!("{GREETING}{to}");
        eventually("the other node's pod answers", 30, || {
            let answer = from_pod(world, from, &format!("{to}.default.svc.cluster.local"), 80);
            if answer.stdout.contains(&expected) {
                Ok(())
            } else {
                Err(answer)
            }
        });
    }
}

fn create_pair(world: &World) -> Answer {
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

/// Creates a cluster of a control plane and a worker, whose [`HOST_PORT`] is published at this port of the host.
pub(crate) fn create(world: &World, name: &str, networking: &str, port: u16) -> Answer {
    let path = world.directory.path().join(format!("{name}.yaml"));
    let config = format!(
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: {name}\nnetworking: {{{networking}}}\n\
         nodes:\n- role: control-plane\n- role: worker\n  extraPortMappings:\n  \
         - {{containerPort: {HOST_PORT}, hostPort: {port}}}\n"
    );
    fs::write(&path, config).unwrap();
    let arguments = ["create", "cluster", "--wait", "2m", "--config"];
    let arguments = [&arguments[..], &[path.to_str().unwrap()], &world.image()];
    world.kind.run(&arguments.concat())
}

/// Runs the sample app on each node of a cluster of two, as a pod and a service of the node's name.
pub(crate) fn servers_start(world: &World, cluster: &str, families: &str) {
    eventually("both nodes are ready", 60, || {
        let nodes = world.kind.ask(&["get", "nodes", "--no-headers"]);
        if nodes.stdout.matches(" Ready ").count() == 2 {
            Ok(())
        } else {
            Err(nodes)
        }
    });
    load_sample(world, cluster);
    for role in ["control-plane", "worker"] {
        let node = format!("{cluster}-{role}");
        world.kind.apply(&server(&node));
        world.kind.apply(&service(&node, families));
    }
    pods_are_ready(world, "default");
}

/// Puts the sample app on the nodes, and waits until pods can be made.
pub(crate) fn load_sample(world: &World, cluster: &str) {
    // A controller manager of 1.20 takes ten seconds before it makes one.
    eventually("pods have a service account", 60, || {
        match world.kind.ask(&["get", "serviceaccount", "default"]) {
            Answer { code: 0, .. } => Ok(()),
            answer => Err(answer),
        }
    });
    let archive = world.sample.to_str().unwrap();
    let load = ["load", "image-archive", "--name", cluster, archive];
    world.kind.run(&load).expect("load image-archive");
}

pub(crate) fn pods_are_ready(world: &World, namespace: &str) {
    let wait = ["wait", "--for=condition=Ready", "--timeout=90s"];
    let pods = ["pod", "--all", "--namespace", namespace];
    let ready = world.kind.ask(&[&wait[..], &pods].concat());
    ready.expect("pods start");
}

/// The sample app on one node.
fn server(node: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {node}\n  labels: {{app: {node}, part: server}}\nspec:\n  \
         nodeName: {node}\n  tolerations:\n  - operator: Exists\n  terminationGracePeriodSeconds: 0\n  \
         containers:\n  - name: main\n    image: {SAMPLE}\n    imagePullPolicy: Never\n    \
         ports: [{{containerPort: 8080, hostPort: {HOST_PORT}}}]\n"
    )
}

fn service(node: &str, families: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {node}\nspec:\n  selector: {{app: {node}}}\n  \
         ipFamilyPolicy: {families}\n  ports: [{{port: 80, targetPort: 8080}}]\n"
    )
}

pub(crate) fn two_nodes_are_deleted(world: &World) {
    delete(world, PAIR);
    world.nothing_is_left();
}

pub(crate) fn delete(world: &World, cluster: &str) {
    let delete = ["delete", "cluster", "--name", cluster];
    world.kind.run(&delete).expect("delete cluster");
}
