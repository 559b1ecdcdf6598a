//! Plans of recorded configurations.

use super::*;

fn planned(config: &str, environment: &[(&str, &str)]) -> String {
    let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n{config}");
    let mut cluster = Cluster::parse(&text).unwrap();
    cluster.set_defaults();
    cluster.validate().unwrap();
    let pairs = environment
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let surroundings = Surroundings {
        network: NETWORK,
        environment: &pairs.collect(),
        directory: Path::new("/w"),
        subnets: &["172.18.0.0/16".to_owned()],
        balancer_image: Some("balancer:1"),
    };
    Plan::new(&cluster, surroundings)
        .to_string()
        .replace(kind_config::DEFAULT_NODE_IMAGE, "DEFAULT-IMAGE")
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
