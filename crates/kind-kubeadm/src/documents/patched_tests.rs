//! What is read from documents, and documents by which nodes start alone.

use kind_config::Cluster;

use super::*;
use crate::testing::patched;

const HEADER: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
const THREE: &str = "nodes: [{role: control-plane}, {role: control-plane}, {role: control-plane}, {role: worker}]\n";

fn documents(version: &str, node: &str, config: &str) -> (Documents, NodeFacts) {
    let mut cluster = Cluster::parse(&format!("{HEADER}{config}")).unwrap();
    cluster.set_defaults();
    cluster.validate().unwrap();
    let mut facts = NodeFacts::new(node, "native", version).unwrap();
    facts.ipv4 = Some([172, 18, 0, 3].into());
    (patched(&cluster, &facts).unwrap(), facts)
}

#[test]
fn values_are_read_with_kubeadms_defaults() {
    let (documents, _) = documents("v1.37.0", "kind-control-plane2", THREE);
    assert_eq!(documents.cluster_name(), "kind");
    assert_eq!(documents.dns_domain(), "cluster.local");
    assert_eq!(
        documents.service_address().unwrap().to_string(),
        "10.96.0.1"
    );
    assert_eq!(documents.endpoint_host(), "kind-external-load-balancer");
    assert_eq!(
        documents.endpoint_url(),
        "https://kind-external-load-balancer:6443"
    );
    assert_eq!(documents.local_endpoint_url(), "https://172.18.0.3:6443");
    assert_eq!(
        documents.cri_socket(),
        "unix:///run/containerd/containerd.sock"
    );
}

#[test]
fn a_control_plane_that_is_not_the_first_starts_with_the_whole_etcd_cluster() {
    let names = [
        "kind-control-plane",
        "kind-control-plane2",
        "kind-control-plane3",
    ];
    for version in ["v1.20.2", "v1.37.0"] {
        let (documents, facts) = documents(version, "kind-control-plane2", THREE);
        let text = documents.start_text(&Role::ControlPlane, &names, &facts);
        insta::assert_snapshot!(format!("start_{version}"), text);
    }
}

#[test]
fn a_worker_starts_with_what_was_meant_for_its_joining() {
    let config = r#"
nodes:
- role: control-plane
- role: worker
  kubeadmConfigPatches:
  - |
    kind: JoinConfiguration
    nodeRegistration:
      taints: [{key: gpu, value: "yes", effect: NoSchedule}]
  - |
    kind: KubeletConfiguration
    maxPods: 7
"#;
    let (documents, facts) = documents("v1.37.0", "kind-worker", config);
    assert!(documents.can_start_alone());
    let text = documents.start_text(&Role::Worker, &["kind-control-plane"], &facts);
    assert!(
        text.contains("- name: register-with-taints\n    value: gpu=yes:NoSchedule\n"),
        "{text}"
    );
    assert!(text.contains("  taints: []\n"), "{text}");
    assert!(text.contains("maxPods: 7\n"), "{text}");
    assert!(text.contains("certificatesDir: /kind/pki\n"), "{text}");
    assert!(
        text.contains("clientCAFile: /etc/kubernetes/pki/ca.crt\n"),
        "{text}"
    );
    assert!(!text.contains("JoinConfiguration"), "{text}");
}

#[test]
fn what_only_kubeadm_does_is_left_to_kubeadm() {
    for (patch, prepared, alone) in [
        ("kind: ClusterConfiguration\ndns: {imageTag: x}", true, true),
        (
            "kind: ClusterConfiguration\ncertificatesDir: /pki",
            false,
            false,
        ),
        (
            "kind: ClusterConfiguration\nencryptionAlgorithm: RSA-4096",
            false,
            false,
        ),
        (
            "kind: ClusterConfiguration\netcd: {external: {endpoints: [a]}}",
            false,
            false,
        ),
        (
            "kind: InitConfiguration\nnodeRegistration: {name: other}",
            false,
            false,
        ),
        ("kind: InitConfiguration\nskipPhases: [certs]", true, false),
        (
            "kind: JoinConfiguration\npatches: {directory: /p}",
            true,
            false,
        ),
        (
            "kind: JoinConfiguration\nskipPhases: [preflight, kubelet-start]",
            true,
            false,
        ),
    ] {
        let patch = patch.replace('\n', "\n  ");
        let config = format!("kubeadmConfigPatches:\n- |\n  {patch}\n");
        let (documents, _) = documents("v1.37.0", "kind-control-plane", &config);
        let found = (documents.can_be_prepared(), documents.can_start_alone());
        assert_eq!(found, (prepared, alone), "{patch}");
    }
}

#[test]
fn the_network_is_what_patches_made_of_it() {
    let patch = |networking: &str| {
        format!(
            "kubeadmConfigPatches: ['{{kind: ClusterConfiguration, networking: {networking}}}']\n"
        )
    };
    for (networking, domain, subnet) in [
        (
            "{dnsDomain: corp.example, serviceSubnet: 10.1.0.0/16}",
            "corp.example",
            Some("10.1.0.0/16"),
        ),
        (
            "{dnsDomain: \"\", serviceSubnet: \"\"}",
            "cluster.local",
            None,
        ),
        ("null", "cluster.local", None),
    ] {
        let (documents, _) = documents("v1.37.0", "kind-control-plane", &patch(networking));
        assert_eq!(documents.dns_domain(), domain, "{networking}");
        assert_eq!(documents.service_subnet(), subnet, "{networking}");
    }
}
