//! Plans of recorded configurations.

use std::collections::BTreeMap;
use std::path::Path;

use kind_config::{ApiVersion, Cluster, json_schema};
use kind_engine::Network;

use super::*;

fn planned(config: &str, environment: &[(&str, &str)]) -> String {
    let config = format!("apiVersion: kind.x-k8s.io/v1alpha4\n{config}");
    plan(&config, environment)
        .to_string()
        .replace(kind_config::DEFAULT_NODE_IMAGE, "DEFAULT-IMAGE")
}

fn plan(config: &str, environment: &[(&str, &str)]) -> Plan {
    let mut cluster = Cluster::parse(&format!("kind: Cluster\n{config}")).unwrap();
    cluster.set_defaults();
    cluster.validate().unwrap();
    let pairs = environment
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let surroundings = Surroundings {
        network: &Network {
            name: NETWORK.to_owned(),
            subnets: vec!["172.18.0.0/16".to_owned()],
            lasting_addresses: true,
            warnings: Vec::new(),
        },
        environment: &pairs.collect(),
        directory: Path::new("/w"),
    };
    Plan::new(&cluster, surroundings).unwrap()
}

#[test]
fn the_default_cluster() {
    insta::assert_snapshot!(planned("", &[]));
}

#[test]
fn mounts_ports_and_search_domains() {
    let config = "
networking: {apiServerPort: 6443, dnsSearch: [a.test, b.test]}
nodes:
- role: control-plane
  image: own:1
  extraMounts:
  - {hostPath: foo, containerPath: /bar, readOnly: true, selinuxRelabel: true, propagation: Bidirectional}
  - {hostPath: /abs, containerPath: /abs}
  extraPortMappings:
  - {containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.1}
  - {containerPort: 53, hostPort: -1, protocol: UDP}
";
    insta::assert_snapshot!(planned(
        config,
        &[("KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER", "native")]
    ));
}

#[test]
fn several_nodes_of_both_families() {
    let config = "
networking: {ipFamily: dual}
nodes: [{role: control-plane}, {role: control-plane}, {role: worker}]
";
    insta::assert_snapshot!(planned(config, &[]));
}

#[test]
fn proxies_are_handed_on_in_both_spellings() {
    let environment = [("https_proxy", "http://proxy:1"), ("NO_PROXY", "foo.com")];
    insta::assert_snapshot!(planned("", &environment));
}

#[test]
fn nodes_without_the_hosts_proxies_have_empty_ones() {
    let environment = [("https_proxy", "http://proxy:1"), ("NO_PROXY", "foo.com")];
    let config = "apiVersion: kind.x-k8s.io/v1beta1\nnetworking: {disableHostProxy: true}\n";
    let plan = plan(config, &environment);
    let env = &plan.nodes[0].env;
    for name in ["HTTP_PROXY", "https_proxy", "ALL_PROXY", "no_proxy"] {
        // An engine's client gives its own to a container that has none.
        assert_eq!(env.get(name).map(String::as_str), Some(""), "{name}");
    }
}

/// The compiler cannot tell: the configuration's types are open for those outside of their crate.
#[test]
fn every_field_of_a_node_is_planned() {
    let samples = BTreeMap::from([
        ("env", "{A: b}"),
        ("extraMounts", "[{hostPath: /a, containerPath: /b}]"),
        ("extraPortMappings", "[{containerPort: 80}]"),
        ("image", "own:1"),
        ("kubeadmConfigPatches", "['{kind: ClusterConfiguration}']"),
        (
            "kubeadmConfigPatchesJSON6902",
            "[{kind: ClusterConfiguration, patch: '[{op: remove, path: /a}]'}]",
        ),
        ("labels", "{a: b}"),
        ("resources", "{cpus: 1}"),
        ("role", "worker"),
        ("taints", "[]"),
    ]);
    let schema: serde_json::Value =
        serde_json::from_str(&json_schema(ApiVersion::V1beta1)).unwrap();
    let fields = schema["$defs"]["Node"]["properties"].as_object().unwrap();
    let with = |node: &str| {
        let nodes = format!("nodes: [{{role: control-plane}}, {node}]");
        plan(&format!("apiVersion: kind.x-k8s.io/v1beta1\n{nodes}"), &[])
    };
    for field in fields.keys() {
        let sample = samples.get(field.as_str());
        let sample =
            sample.unwrap_or_else(|| panic!("{field} needs a sample, and somebody to honour it"));
        assert_ne!(
            with(&format!("{{{field}: {sample}}}")),
            with("{}"),
            "{field}"
        );
    }
}
