//! The cluster itself: created, ready, and as the commands tell of it.

use std::fs;

use kind_e2e::eventually;

use crate::world::{NODE, World};

pub(crate) fn create_reports_every_phase(world: &World) {
    let answer = world.create();
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert_eq!(answer.stdout, "", "stdout is for results");
    for line in [
        "Creating cluster \"e2e\" ...\n",
        " ✓ Preparing nodes 📦 \n",
        " ✓ Writing configuration 📜\n",
        " ✓ Starting control-plane 🕹️\n",
        " ✓ Installing CNI 🔌\n",
        " ✓ Installing StorageClass 💾\n",
        " • Ready after ",
        "Set kubectl context to \"kind-e2e\"\n",
        "kubectl cluster-info --context kind-e2e\n",
    ] {
        assert!(
            answer.stderr.contains(line),
            "{line:?} is missing in:\n{}",
            answer.stderr
        );
    }
    let again = world.create();
    assert_eq!(again.code, 1);
    let expected = "ERROR: failed to create cluster: node(s) already exist for a cluster with the name \"e2e\"";
    assert!(again.stderr.contains(expected), "{again:#?}");
}

/// Ready means that all of it runs, not that it will.
pub(crate) fn what_is_called_ready_runs(world: &World) {
    let pods = ["get", "pods", "--namespace", "kube-system", "--no-headers"];
    let pods = world.kind.ask(&pods).expect("get pods");
    assert!(pods.lines().count() >= 5, "{pods}");
    for pod in pods.lines() {
        let words: Vec<_> = pod.split_whitespace().collect();
        let (ready, all) = words[1].split_once('/').unwrap();
        assert_eq!((ready, words[2]), (all, "Running"), "{pods}");
    }
}

pub(crate) fn the_node_is_ready(world: &World) {
    let nodes = world
        .kind
        .ask(&["get", "nodes", "--no-headers"])
        .expect("get nodes");
    let words: Vec<_> = nodes.split_whitespace().collect();
    assert_eq!(words[..2], [NODE, "Ready"], "{nodes}");
    assert_eq!(
        world
            .kind
            .run(&["get", "nodes", "--name", "e2e"])
            .expect("kind get nodes"),
        format!("{NODE}\n")
    );
    assert_eq!(
        world
            .kind
            .run(&["get", "clusters"])
            .expect("kind get clusters"),
        "e2e\n"
    );
    let path = "jsonpath={.items[0].spec.providerID}";
    assert_eq!(
        world
            .kind
            .ask(&["get", "nodes", "-o", path])
            .expect("providerID"),
        format!("kind://{}/e2e/{NODE}", world.engine.name())
    );
}

pub(crate) fn every_pod_of_kube_system_runs(world: &World) {
    eventually("every pod runs and is ready", 90, || {
        let pods = world
            .kind
            .ask(&["get", "pods", "--all-namespaces", "--no-headers"]);
        let healthy = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            let ready = words[2].split_once('/');
            let ready = ready.is_some_and(|(ready, all)| ready == all);
            words[3] == "Completed" || (words[3] == "Running" && ready)
        };
        let enough = pods.stdout.lines().count() >= 8;
        if enough && pods.stdout.lines().all(healthy) {
            Ok(())
        } else {
            Err(pods)
        }
    });
}

/// The modes iptables, ipvs and nftables call different programs, whatever the mode of this cluster is.
pub(crate) fn kube_proxy_has_the_programs_of_every_mode(world: &World) {
    for program in ["iptables", "ip6tables", "ipset", "nft", "conntrack"] {
        let call = [
            "exec",
            "--namespace=kube-system",
            "daemonset/kube-proxy",
            "--",
        ];
        let version = [&call[..], &[program, "--version"]].concat();
        world.kind.ask(&version).expect(program);
    }
}

pub(crate) fn kubeconfig_commands_agree(world: &World) {
    let written = fs::read_to_string(world.kind.kubeconfig()).unwrap();
    let printed = world
        .kind
        .run(&["get", "kubeconfig", "--name", "e2e"])
        .expect("get kubeconfig");
    assert_eq!(printed, format!("{written}\n"));
    let internal = world
        .kind
        .run(&["get", "kubeconfig", "--name", "e2e", "--internal"])
        .expect("get kubeconfig");
    assert!(
        internal.contains(&format!("server: https://{NODE}:6443")),
        "{internal}"
    );
    let other = world.directory.path().join("exported");
    let arguments = [
        "export",
        "kubeconfig",
        "--name",
        "e2e",
        "--kubeconfig",
        other.to_str().unwrap(),
    ];
    let exported = world.kind.run(&arguments);
    let expected = "Set kubectl context to \"kind-e2e\"\n";
    assert!(exported.stderr.ends_with(expected), "{exported:#?}");
    assert_eq!(fs::read_to_string(&other).unwrap(), written);
}

pub(crate) fn logs_are_exported(world: &World) {
    let target = world.directory.path().join("logs");
    let answer = world
        .kind
        .run(&["export", "logs", "--name", "e2e", target.to_str().unwrap()]);
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert_eq!(answer.stdout.trim(), target.to_str().unwrap());
    for file in [
        "kind-version.txt",
        "serial.log",
        "journal.log",
        "kubelet.log",
        "containerd.log",
        "kubernetes-version.txt",
        "kind/create-events.jsonl",
        "kind/create-timings.txt",
        "kind/create-trace.json",
    ] {
        let inside = target.join(NODE).join(file);
        let path = if file == "kind-version.txt" {
            target.join(file)
        } else {
            inside
        };
        assert!(
            fs::metadata(&path).is_ok_and(|file| file.len() > 0),
            "{} is missing",
            path.display()
        );
    }
    assert!(target.join(NODE).join("pods").is_dir());
}
