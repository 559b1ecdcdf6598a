//! Clusters as they come out of one command.

use kind_e2e::{Disk, eventually};

use crate::clusters::{BALANCER, FEW, MANY, MANY_CONFIG, Shape, few};
use crate::inside;
use crate::world::World;

pub(crate) fn one_control_plane_and_two_workers_become_ready(world: &World) {
    let disk = world.disk.get_or_init(|| Disk::new(world.directory.path()));
    let lines = [
        " ✓ Preparing nodes 📦 📦 📦 \n",
        " ✓ Joining worker nodes 🚜\n",
    ];
    create(world, &FEW, &few(disk.path()), &lines);
}

pub(crate) fn three_control_planes_and_three_workers_become_ready(world: &World) {
    let lines = [
        " ✓ Preparing nodes 📦 📦 📦 📦 📦 📦 \n",
        " ✓ Configuring the external load balancer ⚖️\n",
        " ✓ Writing configuration 📜\n",
        " ✓ Starting control-plane 🕹️\n",
        " ✓ Joining more control-plane nodes 🎮\n",
        " ✓ Joining worker nodes 🚜\n",
    ];
    create(world, &MANY, MANY_CONFIG, &lines);
}

fn create(world: &World, shape: &Shape, config: &str, lines: &[&str]) {
    let answer = world.create(config);
    assert_eq!(answer.code, 0, "{answer:#?}");
    for line in lines.iter().chain(&[" • Ready after "]) {
        let told = answer.stderr.contains(line);
        assert!(told, "{line:?} is missing in:\n{}", answer.stderr);
    }
    world.nodes_become_ready(shape, 120);
    let mut expected: Vec<_> = shape.nodes.to_vec();
    expected.extend((shape.name == MANY.name).then_some(BALANCER));
    expected.sort_unstable();
    let listed = world.kind.run(&["get", "nodes", "--name", shape.name]);
    let listed = listed.expect("get nodes");
    let mut names: Vec<_> = listed.lines().collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    // Whatever nodes have joined by is gone.
    let tokens = ["secrets", "--namespace=kube-system"];
    let path = "{.items[?(@.type==\"bootstrap.kubernetes.io/token\")].metadata.name}";
    assert_eq!(world.get(&tokens, path), "");
    let cidrs = world.get(&["nodes"], "{.items[*].spec.podCIDR}");
    let mut cidrs: Vec<_> = cidrs.split_whitespace().collect();
    cidrs.sort_unstable();
    cidrs.dedup();
    assert_eq!(cidrs.len(), shape.nodes.len(), "{cidrs:?}");
}

/// What `kubeadm init` leaves in a cluster, by namespaces.
const RECORDS: [(&str, &str); 12] = [
    ("kube-system", "configmap/kubeadm-config"),
    ("kube-system", "configmap/kube-proxy"),
    ("kube-system", "role/kubeadm:nodes-kubeadm-config"),
    ("kube-system", "rolebinding/kubeadm:nodes-kubeadm-config"),
    ("kube-public", "configmap/cluster-info"),
    ("kube-public", "role/kubeadm:bootstrap-signer-clusterinfo"),
    (
        "kube-public",
        "rolebinding/kubeadm:bootstrap-signer-clusterinfo",
    ),
    ("", "clusterrolebinding/kubeadm:kubelet-bootstrap"),
    ("", "clusterrolebinding/kubeadm:node-autoapprove-bootstrap"),
    (
        "",
        "clusterrolebinding/kubeadm:node-autoapprove-certificate-rotation",
    ),
    ("", "clusterrolebinding/kubeadm:get-nodes"),
    ("", "clusterrole/kubeadm:get-nodes"),
];

/// What `kubeadm init` and `kubeadm join` leave, so that kubeadm can go on.
pub(crate) fn kubeadm_finds_its_records(world: &World) {
    let kubelet = match minor_version(world) {
        minor @ 0..24 => format!("configmap/kubelet-config-1.{minor}"),
        _ => "configmap/kubelet-config".to_owned(),
    };
    for (namespace, object) in RECORDS.into_iter().chain([("kube-system", &*kubelet)]) {
        let arguments = ["get", object, "--namespace", namespace];
        world.kind.ask(&arguments).expect(object);
    }
    let documents = ["configmap", "kubeadm-config", "--namespace", "kube-system"];
    let documents = world.get(&documents, "{.data.ClusterConfiguration}");
    assert!(
        documents.contains(&format!("{BALANCER}:6443")),
        "{documents}"
    );
    assert!(!documents.contains("initial-cluster"), "{documents}");
    for node in &MANY.nodes[..3] {
        is_marked(world, node);
    }
    let path = "{.metadata.annotations.kubeadm\\.alpha\\.kubernetes\\.io/cri-socket}";
    for node in MANY.nodes {
        let socket = world.get(&["node", node], path);
        assert!(socket.contains("containerd.sock"), "{node}");
    }
}

/// The node is a control plane as kubeadm makes one.
fn is_marked(world: &World, node: &str) {
    let expiry = inside::run(world, node, "kubeadm certs check-expiration 2>&1");
    let expiry = expiry.unwrap();
    assert!(!expiry.contains("MISSING"), "{expiry}");
    let taints = world.get(&["node", node], "{.spec.taints[*].key}");
    assert!(taints.contains("node-role.kubernetes.io/"), "{taints}");
    let labels = world.get(&["node", node], "{.metadata.labels}");
    assert!(
        labels.contains("node-role.kubernetes.io/control-plane"),
        "{labels}"
    );
}

/// The 20 of `v1.20.2`.
pub(crate) fn minor_version(world: &World) -> u32 {
    let version = world.get(
        &["node", MANY.nodes[0]],
        "{.status.nodeInfo.kubeletVersion}",
    );
    let minor = version.split('.').nth(1);
    minor.and_then(|minor| minor.parse().ok()).unwrap()
}

/// Also on a node that is not the first, which the original cannot.
pub(crate) fn a_node_has_its_own_kubelet_configuration(world: &World) {
    assert_eq!(running_kubelet(world, "many-worker")["maxPods"], 110);
    assert_eq!(running_kubelet(world, "many-worker2")["maxPods"], 77);
    let tier = world.get(&["node", "many-worker2"], "{.metadata.labels.tier}");
    assert_eq!(tier, "second");
    let path = "{.spec.taints[?(@.key==\"own\")].effect}";
    assert_eq!(
        world.get(&["node", "many-worker3"], path),
        "PreferNoSchedule"
    );
}

/// `kubeadm join` itself gives every node the cluster's.
pub(crate) fn a_worker_that_joins_has_its_own_kubelet_configuration(world: &World) {
    assert_eq!(running_kubelet(world, "few-worker")["maxPods"], 110);
    let own = running_kubelet(world, "few-worker2");
    assert_eq!(own["maxPods"], 55);
    assert_eq!(own["evictionHard"]["nodefs.available"], "30%");
}

/// The configuration that a kubelet runs with, which may just be starting once more.
fn running_kubelet(world: &World, node: &str) -> serde_json::Value {
    let path = format!("/api/v1/nodes/{node}/proxy/configz");
    let mut text = String::new();
    eventually("the kubelet tells its configuration", 60, || {
        let answer = world.kind.ask(&["get", "--raw", &path]);
        text.clone_from(&answer.stdout);
        (answer.code == 0).then_some(()).ok_or(answer)
    });
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config["kubeletconfig"].take()
}
