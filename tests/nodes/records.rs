//! The cluster as it comes out of one command.

use kind_e2e::eventually;

use crate::inside;
use crate::world::{BALANCER, NODES, World};

pub(crate) fn three_control_planes_and_three_workers_become_ready(world: &World) {
    let answer = world.create();
    assert_eq!(answer.code, 0, "{answer:#?}");
    for line in [
        " ✓ Preparing nodes 📦 📦 📦 📦 📦 📦 \n",
        " ✓ Configuring the external load balancer ⚖️\n",
        " ✓ Writing configuration 📜\n",
        " ✓ Starting control-plane 🕹️\n",
        " ✓ Joining more control-plane nodes 🎮\n",
        " ✓ Joining worker nodes 🚜\n",
        " • Ready after ",
    ] {
        let told = answer.stderr.contains(line);
        assert!(told, "{line:?} is missing in:\n{}", answer.stderr);
    }
    world.nodes_become_ready(120);
    let mut expected: Vec<_> = NODES.to_vec();
    expected.push(BALANCER);
    expected.sort_unstable();
    let listed = world.kind.run(&["get", "nodes", "--name", "many"]);
    let listed = listed.expect("get nodes");
    let mut names: Vec<_> = listed.lines().collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    let path = "jsonpath={range .items[*]}{.spec.podCIDR}{\"\\n\"}{end}";
    let cidrs = world
        .kind
        .ask(&["get", "nodes", "-o", path])
        .expect("cidrs");
    let mut cidrs: Vec<_> = cidrs.lines().collect();
    cidrs.sort_unstable();
    cidrs.dedup();
    assert_eq!(cidrs.len(), NODES.len(), "{cidrs:?}");
}

/// What `kubeadm init` and `kubeadm join` leave, so that kubeadm can go on.
pub(crate) fn kubeadm_finds_its_records(world: &World) {
    for name in ["kubeadm-config", "cluster-info"] {
        let namespace = match name {
            "cluster-info" => "kube-public",
            _ => "kube-system",
        };
        let arguments = ["get", "configmap", name, "--namespace", namespace];
        world.kind.ask(&arguments).expect(name);
    }
    for node in &NODES[..3] {
        let expiry = inside::run(world, node, "kubeadm certs check-expiration 2>&1");
        let expiry = expiry.unwrap();
        assert!(!expiry.contains("MISSING"), "{expiry}");
        let taints = ["get", "node", node, "-o", "jsonpath={.spec.taints[*].key}"];
        let taints = world.kind.ask(&taints).expect("taints");
        assert!(taints.contains("node-role.kubernetes.io/"), "{taints}");
    }
    let path = "jsonpath={.metadata.annotations.kubeadm\\.alpha\\.kubernetes\\.io/cri-socket}";
    for node in NODES {
        let socket = world.kind.ask(&["get", "node", node, "-o", path]);
        assert!(
            socket.expect("annotation").contains("containerd.sock"),
            "{node}"
        );
    }
    let status = inside::run(
        world,
        NODES[0],
        "kubeadm upgrade node --dry-run 2>&1 | tail -n 3",
    );
    status.unwrap();
}

/// Also on a node that is not the first, which the original cannot.
pub(crate) fn a_node_has_its_own_kubelet_configuration(world: &World) {
    let path = "jsonpath={.status.allocatable.pods}";
    for (node, pods) in [("many-worker", "110"), ("many-worker2", "77")] {
        let answer = world.kind.ask(&["get", "node", node, "-o", path]);
        assert_eq!(answer.expect("allocatable"), pods, "{node}");
    }
    let path = "jsonpath={.metadata.labels.tier}";
    let tier = world.kind.ask(&["get", "node", "many-worker2", "-o", path]);
    assert_eq!(tier.expect("label"), "second");
    let path = "jsonpath={.spec.taints[?(@.key==\"own\")].effect}";
    let taint = world.kind.ask(&["get", "node", "many-worker3", "-o", path]);
    assert_eq!(taint.expect("taint"), "PreferNoSchedule");
}

pub(crate) fn pods_of_different_nodes_talk(world: &World) {
    let archive = world.sample.to_str().unwrap();
    let arguments = ["load", "image-archive", "--name", "many", archive];
    world.kind.run(&arguments).expect("load image-archive");
    for (name, node) in [("one", "many-worker"), ("two", "many-worker2")] {
        world.kind.apply(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: {node}, \
             terminationGracePeriodSeconds: 1, containers: [{{name: sample, \
             image: 'docker.io/library/kind-sample:v1', imagePullPolicy: Never}}]}}}}\n"
        ));
    }
    let wait = [
        "wait",
        "pod",
        "one",
        "two",
        "--for=condition=Ready",
        "--timeout=90s",
    ];
    world.kind.ask(&wait).expect("pods become ready");
    let path = "jsonpath={.status.podIP}";
    let address = world
        .kind
        .ask(&["get", "pod", "two", "-o", path])
        .expect("podIP");
    let script =
        format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {address} 8080 | grep Hello");
    eventually("a pod answers one of another node", 30, || {
        let answer = world.kind.shell("one", &script);
        match answer.code {
            0 => Ok(()),
            _ => Err(answer),
        }
    });
}
