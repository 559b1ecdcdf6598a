//! A cluster whose network is the user's: neither the default pod network nor kube-proxy.

use std::fs;

use kind_e2e::{Answer, eventually};

use crate::names::OWN;
use crate::pages::{GREETING, from_pod};
use crate::several::{delete, load_sample, pods_are_ready};
use crate::workloads::SAMPLE;
use crate::world::World;

const CONFIG: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: own
networking: {disableDefaultCNI: true, kubeProxyMode: none}
";

/// A pod network as small as can be: a bridge that a plugin of the node image makes.
const NETWORK: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: own-network, namespace: kube-system}
data:
  10-own.conflist: |
    {"cniVersion": "0.3.1", "name": "own", "plugins": [
      {"type": "bridge", "bridge": "own0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
       "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
      {"type": "portmap", "capabilities": {"portMappings": true}}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: own-network, namespace: kube-system}
spec:
  selector: {matchLabels: {app: own-network}}
  template:
    metadata: {labels: {app: own-network}}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists}]
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: docker.io/library/kind-sample:v1
        imagePullPolicy: Never
        command: [/bin/sh, -c, 'cat /own/10-own.conflist > /node/10-own.conflist; sleep 100000']
        volumeMounts: [{name: own, mountPath: /own}, {name: node, mountPath: /node}]
      volumes:
      - {name: own, configMap: {name: own-network}}
      - {name: node, hostPath: {path: /etc/cni/net.d}}
"#;

/// Without a pod network the node waits for the user's; with it pods run, names are known and volumes
/// are made.
pub(crate) fn a_network_of_the_users_own_works(world: &World) {
    let path = world.directory.path().join("own.yaml");
    fs::write(&path, CONFIG).unwrap();
    let create = ["create", "cluster", "--config", path.to_str().unwrap()];
    let create = [&create[..], &world.image()].concat();
    world.kind.run(&create).expect("create cluster");
    // At once, and without any wait.
    let pods = ["get", "pods", "--all-namespaces", "--no-headers"];
    let pods = world.kind.ask(&pods).expect("get pods");
    assert!(pods.contains("kube-system"), "nothing is there: {pods}");
    let sets = ["get", "daemonsets", "--all-namespaces", "--no-headers"];
    let sets = world.kind.ask(&sets).expect("get daemonsets");
    for absent in ["kindnet", "kube-proxy"] {
        assert!(!sets.contains(absent), "{sets}");
    }
    let nodes = ["get", "nodes", "--no-headers"];
    let before = world.kind.ask(&nodes).expect("get nodes");
    assert!(before.contains(" NotReady "), "{before}");
    load_sample(world, OWN);
    world.kind.apply(NETWORK);
    let wait = [
        "wait",
        "--for=condition=Ready",
        "--timeout=60s",
        "node",
        "--all",
    ];
    world.kind.ask(&wait).expect("the node becomes ready");
    for name in ["one", "two"] {
        world.kind.apply(&pod(name));
    }
    pods_are_ready(world, "default");
    pods_are_ready(world, "kube-system");
    let address = address(world, &["pod", "one"], "{.status.podIP}");
    assert!(address.starts_with("10.99.0."), "{address}");
    let page = from_pod(world, "two", &address, 8080).expect("a page");
    assert!(page.contains(&format!("{GREETING}one")), "{page}");
    names_are_known(world);
    delete(world, OWN);
    world.nothing_is_left();
}

/// Nobody serves the address of the DNS service here, but the pods behind it answer.
fn names_are_known(world: &World) {
    let server = ["--namespace", "kube-system", "endpoints", "kube-dns"];
    let server = address(world, &server, "{.subsets[0].addresses[0].ip}");
    let api = address(world, &["service", "kubernetes"], "{.spec.clusterIP}");
    eventually("the API server's name is known", 30, || {
        let ask = format!("nslookup kubernetes.default.svc.cluster.local {server}");
        match world.kind.shell("two", &ask) {
            Answer {
                code: 0, stdout, ..
            } if stdout.contains(&api) => Ok(()),
            answer => Err(answer),
        }
    });
}

fn address(world: &World, object: &[&str], path: &str) -> String {
    let output = format!("jsonpath={path}");
    let get = [&["get"], object, &["--output", &output]].concat();
    world.kind.ask(&get).expect("an address")
}

/// The sample app with a volume.
fn pod(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec:\n  \
         accessModes: [ReadWriteOnce]\n  resources: {{requests: {{storage: 1Mi}}}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 0\n  \
         volumes: [{{name: data, persistentVolumeClaim: {{claimName: {name}}}}}]\n  \
         containers:\n  - name: main\n    image: {SAMPLE}\n    imagePullPolicy: Never\n    \
         volumeMounts: [{{name: data, mountPath: /data}}]\n"
    )
}
