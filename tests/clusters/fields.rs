//! What a config file says beyond `v1alpha4`, in a real cluster.

use std::fs;

use crate::names::{NODES, PAIR};
use crate::world::World;

/// Of the cluster of two nodes: each field, and something of Kubernetes that shows it.
pub(crate) const FIELDS: &str = "\
networking:
  ipFamily: dual
  dnsSearch: []
  apiServerCertSANs: [api.example.test]
audit: {}
manifests:
- text: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: greeting}
    data: {hello: world}
nodes:
- role: control-plane
- role: worker
  labels: {tier: db}
  taints: [{key: dedicated, value: db, effect: NoSchedule}]
  env: {PAIR_GREETING: hello}
  resources: {cpus: 1, memory: 2Gi}
";

pub(crate) fn every_field_of_ours_is_honoured(world: &World) {
    let of = |object: &[&str], path: &str| {
        let path = format!("jsonpath={path}");
        let answer = world.kind.ask(&[&["get"], object, &["-o", &path]].concat());
        answer.expect(&path)
    };
    let worker = ["node", NODES[1]];
    assert_eq!(of(&worker, "{.metadata.labels.tier}"), "db");
    let taints = of(&worker, "{.spec.taints[*].key}");
    assert!(taints.split(' ').any(|key| key == "dedicated"), "{taints}");
    // The node's limits, as its kubelet sees them; the other node has all of the host's memory.
    assert_eq!(of(&worker, "{.status.capacity.cpu}"), "1");
    assert_eq!(of(&worker, "{.status.capacity.memory}"), "2Gi");
    let unlimited = of(&["node", NODES[0]], "{.status.capacity.memory}");
    assert_eq!(unlimited, format!("{}Ki", host_memory()));
    assert_eq!(of(&["configmap", "greeting"], "{.data.hello}"), "world");
    let known_as = |name: &str| {
        let name = format!("--tls-server-name={name}");
        world.kind.ask(&[&name, "get", "--raw", "/healthz"])
    };
    assert_eq!(known_as("api.example.test").expect("healthz"), "ok");
    assert_ne!(known_as("other.example.test").code, 0);
    assert_eq!(
        variable(world, NODES[1], "PAIR_GREETING").as_deref(),
        Some("hello")
    );
    assert_eq!(variable(world, NODES[0], "PAIR_GREETING"), None);
    let logs = world.directory.path().join("pair-logs");
    let export = ["export", "logs", "--name", PAIR, logs.to_str().unwrap()];
    world.kind.run(&export).expect("export logs");
    let audit = logs.join(NODES[0]).join("kubernetes/audit.log");
    let audit = fs::read_to_string(&audit).unwrap_or_else(|error| panic!("{audit:?}: {error}"));
    assert!(audit.contains("\"kind\":\"Event\""), "{audit}");
}

/// The host's memory in KiB.
fn host_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let words = total.unwrap().split_whitespace().next();
    words.unwrap().parse().unwrap()
}

/// A variable of a node's first process.
fn variable(world: &World, node: &str, name: &str) -> Option<String> {
    let environment = if world.engine.is_native() {
        let path = world.kind.state().join("nodes").join(node).join("run.json");
        let run: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        fs::read_to_string(format!("/proc/{}/environ", run["pid"])).unwrap()
    } else {
        let inspect = [
            "inspect",
            "--format",
            "{{range .Config.Env}}{{println .}}{{end}}",
            node,
        ];
        world.engine.client(&inspect).expect("inspect")
    };
    let mut variables = environment.split(['\0', '\n']);
    variables.find_map(|pair| Some(pair.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}
