//! Dry runs of what was not recorded; the recorded ones are tested through the command.

use super::*;
use crate::{KubeconfigFiles, Provider};

fn planned(config: &str) -> DryRun {
    let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n{config}");
    let files = KubeconfigFiles::one("/nowhere/config");
    let options = CreateCluster::new(files).config_text(&text).unwrap();
    let builder = Provider::builder().engine(crate::EngineChoice::Podman);
    builder
        .dry_run(&options, &Assumptions::new(), &|_| {})
        .unwrap()
}

#[test]
fn addresses_go_to_nodes_by_their_names() {
    let run = planned("nodes: [{role: worker}, {role: control-plane}, {role: control-plane}]\n");
    let names = run.plan.nodes.iter().map(|node| node.name.as_str());
    let pairs: Vec<_> = names
        .map(|name| (name, run.nodes[name].ipv4.to_string()))
        .collect();
    let expected = [
        ("kind-worker", "172.18.0.5"),
        ("kind-control-plane", "172.18.0.2"),
        ("kind-control-plane2", "172.18.0.3"),
        ("kind-external-load-balancer", "172.18.0.4"),
    ];
    assert_eq!(pairs, expected.map(|(name, ip)| (name, ip.to_owned())));
    assert_eq!(
        run.nodes["kind-worker"].ipv6.to_string(),
        "fc00:f853:ccd:e793::5"
    );
}

#[test]
fn a_load_balancer_leads_to_all_control_planes() {
    let run = planned("nodes: [{image: 'own:v1.30.0'}, {role: worker}, {}]\n");
    let plan = run.plan.nodes.last().unwrap();
    let node = &run.nodes[&plan.name];
    assert_eq!(plan.image, "own:v1.30.0");
    let settings: serde_json::Value =
        serde_json::from_str(&node.files["/kind/load-balancer.json"]).unwrap();
    assert_eq!(
        settings["members"],
        serde_json::json!(["kind-control-plane:6443", "kind-control-plane2:6443"])
    );
    assert_eq!(node.kubernetes_version, None);
}

#[test]
fn secrets_are_named_and_not_shown() {
    let run = planned("nodes: [{}, {}]\n");
    let node = &run.nodes["kind-control-plane2"];
    let key = "/etc/kubernetes/pki/ca.key".to_owned();
    assert!(node.secret_files.contains(&key), "{node:#?}");
    assert!(!node.files.contains_key(&key));
    assert!(node.files.contains_key("/kind/kubeadm-start.conf"));
}
