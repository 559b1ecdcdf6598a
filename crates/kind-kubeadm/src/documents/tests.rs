//! Documents of nodes.

use kind_config::{Cluster, Role};
use serde_json::Value;

use crate::testing::{cluster_settings, node_settings, render};
use crate::{Error, NodeFacts};

fn cluster(config: &str) -> Cluster {
    let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1beta1\n";
    let mut cluster = Cluster::parse(&format!("{header}{config}")).unwrap();
    cluster.set_defaults();
    cluster.validate().unwrap();
    cluster
}

fn facts(version: &str) -> NodeFacts {
    let mut facts = NodeFacts::new("kind-control-plane", "docker", version).unwrap();
    facts.ipv4 = Some([172, 18, 0, 2].into());
    facts.ipv6 = "fc00:f853:ccd:e793::2".parse().ok();
    facts
}

/// A node's documents before any patch.
fn documents(cluster: &Cluster, facts: &NodeFacts) -> Result<Vec<Value>, Error> {
    let node = node_settings(cluster, &facts.name)?;
    super::make::make_documents(&cluster_settings(cluster), &node, facts)
}

#[test]
fn an_address_that_a_mapping_publishes_the_api_server_at_is_in_the_certificate() {
    let names = |mapping: &str| {
        let cluster = cluster(&format!("nodes: [{{extraPortMappings: [{mapping}]}}]\n"));
        let documents = documents(&cluster, &facts("v1.37.0")).unwrap();
        documents[0]["apiServer"]["certSANs"].clone()
    };
    let local = serde_json::json!(["localhost", "127.0.0.1"]);
    let more = serde_json::json!(["localhost", "127.0.0.1", "192.0.2.1"]);
    let mapping = "containerPort: 6443, hostPort: 7443, listenAddress";
    assert_eq!(names(&format!("{{{mapping}: 192.0.2.1}}")), more);
    for other in ["0.0.0.0", "127.0.0.1", "\"\""] {
        assert_eq!(names(&format!("{{{mapping}: {other}}}")), local, "{other}");
    }
    assert_eq!(
        names("{containerPort: 80, hostPort: 80, listenAddress: 192.0.2.1}"),
        local
    );
}

/// The second reference output of the behavioural specification: old API, IPv6, no kube-proxy,
/// without root.
#[test]
fn rootless_ipv6_without_kube_proxy() {
    let cluster = cluster("networking: {ipFamily: ipv6, kubeProxyMode: none}\n");
    let mut facts = facts("v1.30.0");
    facts.rootless = true;
    let text = render(&cluster, &facts).unwrap();
    let expected = r#"apiServer:
  certSANs:
  - localhost
  - ::1
  extraArgs:
    feature-gates: KubeletInUserNamespace=true
    runtime-config: ""
apiVersion: kubeadm.k8s.io/v1beta3
clusterName: kind
controlPlaneEndpoint: kind-control-plane:6443
controllerManager:
  extraArgs:
    bind-address: '::'
    enable-hostpath-provisioner: "true"
    feature-gates: KubeletInUserNamespace=true
kind: ClusterConfiguration
kubernetesVersion: v1.30.0
networking:
  podSubnet: fd00:10:244::/56
  serviceSubnet: fd00:10:96::/112
scheduler:
  extraArgs:
    bind-address: ::1
    feature-gates: KubeletInUserNamespace=true
---
apiVersion: kubeadm.k8s.io/v1beta3
bootstrapTokens:
- token: <random>
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: fc00:f853:ccd:e793::2
  bindPort: 6443
nodeRegistration:
  criSocket: unix:///run/containerd/containerd.sock
  kubeletExtraArgs:
    node-ip: fc00:f853:ccd:e793::2
    node-labels: ""
    provider-id: kind://docker/kind/kind-control-plane
skipPhases:
- preflight
- addon/kube-proxy
---
"#;
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(text.matches("kind: KubeProxyConfiguration").count(), 0);
}

#[test]
fn the_family_of_the_first_service_subnet_comes_first() {
    let subnets =
        "networking: {ipFamily: dual, serviceSubnet: \"fd00:10:96::/112,10.96.0.0/16\"}\n";
    let documents = documents(&cluster(subnets), &facts("v1.30.0")).unwrap();
    let registration = &documents[1]["nodeRegistration"];
    assert_eq!(
        registration["kubeletExtraArgs"]["node-ip"],
        "fc00:f853:ccd:e793::2,172.18.0.2"
    );
    assert_eq!(
        documents[1]["localAPIEndpoint"]["advertiseAddress"],
        "fc00:f853:ccd:e793::2"
    );
}

#[test]
fn new_kubelets_are_told_to_accept_cgroup_v1() {
    for (version, told) in [("v1.34.0", false), ("v1.35.0", true)] {
        let mut facts = facts(version);
        facts.cgroup_v1 = true;
        let documents = documents(&cluster(""), &facts).unwrap();
        assert_eq!(
            documents[3].get("failCgroupV1").is_some(),
            told,
            "{version}"
        );
    }
}

#[test]
fn nodes_that_cannot_be_are_errors() {
    let mut rootless = facts("v1.21.1");
    rootless.rootless = true;
    let mut no_ipv6 = facts("v1.36.1");
    no_ipv6.ipv6 = None;
    for (config, facts, error) in [
        (
            "",
            rootless,
            "version \"1.21.1\" is not compatible with rootless provider (hint: kind v0.11.x may work with this version)",
        ),
        (
            "networking: {ipFamily: ipv6}\n",
            no_ipv6,
            "failed to get IPv6 address for node kind-control-plane; is docker configured to use IPv6 correctly?",
        ),
    ] {
        assert_eq!(
            render(&cluster(config), &facts).unwrap_err().to_string(),
            error
        );
    }
    assert!(NodeFacts::new("a", "docker", "latest").is_err());
}

#[test]
fn helper_metadata_of_old_patches_does_not_stay() {
    let config = "kubeadmConfigPatches:\n- \"kind: InitConfiguration\\nmetadata: {name: config}\\n\"\n\
                      - \"kind: JoinConfiguration\\nmetadata: {name: config, x: 1}\\n\"\n";
    let text = render(&cluster(config), &facts("v1.36.1")).unwrap();
    let documents: Vec<&str> = text.split("---\n").collect();
    assert!(!documents[1].contains("metadata"));
    assert!(documents[2].contains("\nmetadata:\n  x: 1\nnodeRegistration:"));
}

#[test]
fn bad_patches_are_named() {
    let config = "nodes:\n- role: control-plane\n  kubeadmConfigPatches: [a, b]\n";
    assert_eq!(
        render(&cluster(config), &facts("v1.36.1"))
            .unwrap_err()
            .to_string(),
        "failed to generate kubeadm config content: failed to parse patches: \
             nodes[0].kubeadmConfigPatches[0]: it must be a mapping like the document that it changes"
    );
}

#[test]
fn taints_of_a_node_stand_instead_of_those_of_its_role() {
    let taints = "nodes: [{taints: [{key: gpu, value: big, effect: NoExecute}, {key: x}]}]\n";
    for (config, expected) in [
        (
            taints,
            serde_json::json!([
                {"key": "gpu", "value": "big", "effect": "NoExecute"},
                {"key": "x", "effect": "NoSchedule"},
            ]),
        ),
        ("nodes: [{taints: []}]\n", serde_json::json!([])),
        ("", Value::Null),
    ] {
        let documents = documents(&cluster(config), &facts("v1.36.1")).unwrap();
        for document in &documents[1..3] {
            assert_eq!(document["nodeRegistration"]["taints"], expected);
        }
    }
}

#[test]
fn the_api_server_records_requests_where_the_policy_is() {
    for version in ["v1.22.0", "v1.30.0", "v1.36.1"] {
        let text = render(&cluster("audit: {}\n"), &facts(version)).unwrap();
        for needle in [
            "/etc/kubernetes/audit/policy.yaml",
            "/var/log/kubernetes/audit.log",
            "  - hostPath: /etc/kubernetes/audit\n    mountPath: /etc/kubernetes/audit\n",
        ] {
            assert!(text.contains(needle), "{text}");
        }
    }
    let cluster = cluster_settings(&cluster("audit: {level: Request}\n"));
    let policy = crate::audit_policy(&cluster, &Role::ControlPlane).unwrap();
    assert!(policy.ends_with("rules:\n- level: Request\n"));
    assert_eq!(crate::audit_policy(&cluster, &Role::Worker), None);
}

#[test]
fn more_names_stand_in_the_certificate_once() {
    let names = "networking: {apiServerCertSANs: [my.test, localhost, 10.0.0.1]}\n";
    let documents = documents(&cluster(names), &facts("v1.36.1")).unwrap();
    assert_eq!(
        documents[0]["apiServer"]["certSANs"],
        serde_json::json!(["localhost", "127.0.0.1", "my.test", "10.0.0.1"])
    );
}

#[test]
fn clusters_may_go_without_dns() {
    let documents = documents(&cluster("addOns: {dns: none}\n"), &facts("v1.36.1")).unwrap();
    assert_eq!(
        documents[1]["skipPhases"],
        serde_json::json!(["preflight", "addon/coredns"])
    );
}
