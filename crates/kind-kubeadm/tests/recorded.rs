//! Files that kind v0.33.0 wrote to its nodes.

use kind_config::Cluster;
use kind_kubeadm::{ClusterSettings, NodeFacts, NodeSettings, containerd, patched};
use kind_testkit::golden::{self, CreateCase, RecordedNode};

fn cluster(case: &CreateCase) -> Cluster {
    let mut cluster = Cluster::parse(&case.config).expect("recorded configurations are read");
    cluster.set_defaults();
    cluster
        .validate()
        .expect("recorded configurations are valid");
    cluster
}

fn facts(case: &CreateCase, node: &RecordedNode) -> NodeFacts {
    let mut facts = NodeFacts::new(&node.name, &case.engine, &case.kubernetes_version)
        .expect("recorded versions are versions");
    facts.ipv4 = Some(node.ipv4);
    facts.ipv6 = Some(node.ipv6);
    facts.rootless = case.rootless();
    facts
}

#[test]
fn every_recorded_kubeadm_conf_comes_out_byte_for_byte() {
    let mut compared = 0;
    for case in golden::create_cases() {
        for node in &case.nodes {
            let Some(recorded) = node.files.get("kubeadm.conf") else {
                continue;
            };
            let cluster = cluster(&case);
            let mut names = cluster.node_names().into_iter();
            let index = names.position(|name| name == node.name).unwrap();
            let settings = NodeSettings::new(index, &cluster.nodes[index]).unwrap();
            let cluster = ClusterSettings::new(&cluster).unwrap();
            let documents = patched(&cluster, &settings, &facts(&case, node)).unwrap();
            let [ours, theirs] =
                [&documents.text(), recorded].map(|text| golden::without_discovery(text));
            assert_eq!(ours, theirs, "{} {}", case.name, node.name);
            compared += 1;
        }
    }
    assert_eq!(compared, 34);
}

#[test]
fn every_recorded_containerd_configuration_comes_out_byte_for_byte() {
    let before = golden::read("containerd-before.toml");
    let mut compared = 0;
    for case in golden::create_cases() {
        if case.nodes.is_empty() {
            continue;
        }
        let settings = containerd::Settings::new(&cluster(&case)).unwrap();
        for node in &case.nodes {
            let recorded = node.files.get("config.toml");
            assert_eq!(recorded.is_some(), settings.has_patches());
            if let Some(recorded) = recorded {
                assert_eq!(
                    &containerd::patch(&before, &settings).unwrap().text,
                    recorded
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 1);
}
