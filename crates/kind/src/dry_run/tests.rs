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
    let addresses = run.nodes.iter().map(|node| node.ipv4.to_string());
    let pairs: Vec<_> = names.zip(addresses).collect();
    let expected = [
        ("kind-worker", "172.18.0.5"),
        ("kind-control-plane", "172.18.0.2"),
        ("kind-control-plane2", "172.18.0.3"),
        ("kind-external-load-balancer", "172.18.0.4"),
    ];
    assert_eq!(pairs, expected.map(|(name, ip)| (name, ip.to_owned())));
    assert_eq!(run.nodes[0].ipv6.to_string(), "fc00:f853:ccd:e793::5");
}

#[test]
fn a_load_balancer_of_ipv6_listens_there() {
    let run = planned("networking: {ipFamily: ipv6}\nnodes: [{}, {}]\n");
    let files = &run.nodes[2].files;
    assert!(files["/home/envoy/lds.yaml"].contains("address: \"::\"\n"));
    assert!(files["/home/envoy/cds.yaml"].contains("dns_lookup_family: AUTO\n"));
    assert_eq!(run.nodes[2].kubernetes_version, None);
}
