//! Configurations and what they say.

use std::collections::BTreeMap;

use super::*;
use crate::model::{
    IpFamily, JsonPatch, KubeProxyMode, Mount, Networking, Node, PortMapping, Propagation,
    Protocol, Role,
};

const HEADER: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";

fn read(fields: &str) -> Result<Cluster, Error> {
    Cluster::parse(&format!("{HEADER}{fields}"))
}

/// A configuration with every field.
const EVERYTHING: &str = r#"
name: all
featureGates: {AllBeta: false}
runtimeConfig: {api/alpha: "true"}
networking:
  ipFamily: ipv6
  apiServerPort: 0x1bb
  apiServerAddress: ::1
  podSubnet: fd00:1::/56
  serviceSubnet: fd00:2::/112
  disableDefaultCNI: true
  kubeProxyMode: none
  dnsSearch: []
kubeadmConfigPatches:
- |
  kind: InitConfiguration
kubeadmConfigPatchesJSON6902:
- {group: kubeadm.k8s.io, version: v1beta4, kind: ClusterConfiguration, patch: "[]", name: config, namespace: x}
containerdConfigPatches: [version = 2]
containerdConfigPatchesJSON6902: ["[]"]
nodes:
- role: worker
  image: example.com/node:v1
  labels: {tier: db, count: 1}
  extraMounts:
  - {hostPath: ./here, containerPath: /there, readOnly: true, selinuxRelabel: yes, propagation: Bidirectional}
  extraPortMappings:
  - {containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.1, protocol: udp}
  kubeadmConfigPatches: [""]
  kubeadmConfigPatchesJSON6902: [{kind: X}]
"#;

fn everything() -> Cluster {
    let worker = Node {
        role: Role::Worker,
        image: "example.com/node:v1".into(),
        labels: BTreeMap::from([("count".into(), "1".into()), ("tier".into(), "db".into())]),
        extra_mounts: vec![Mount {
            container_path: "/there".into(),
            host_path: "./here".into(),
            read_only: true,
            selinux_relabel: true,
            propagation: Propagation::Bidirectional,
        }],
        extra_port_mappings: vec![PortMapping {
            container_port: 80,
            host_port: 8080,
            listen_address: "127.0.0.1".into(),
            protocol: Protocol::Udp,
        }],
        kubeadm_config_patches: vec![String::new()],
        kubeadm_config_patches_json6902: vec![JsonPatch {
            kind: "X".into(),
            ..JsonPatch::default()
        }],
        ..Node::default()
    };
    Cluster {
        name: "all".into(),
        nodes: vec![worker],
        networking: networking(),
        feature_gates: BTreeMap::from([("AllBeta".into(), false)]),
        runtime_config: BTreeMap::from([("api/alpha".into(), "true".into())]),
        kubeadm_config_patches: vec!["kind: InitConfiguration\n".into()],
        kubeadm_config_patches_json6902: vec![JsonPatch {
            group: "kubeadm.k8s.io".into(),
            version: "v1beta4".into(),
            kind: "ClusterConfiguration".into(),
            name: "config".into(),
            namespace: "x".into(),
            patch: "[]".into(),
        }],
        containerd_config_patches: vec!["version = 2".into()],
        containerd_config_patches_json6902: vec!["[]".into()],
        ..Cluster::default()
    }
}

fn networking() -> Networking {
    Networking {
        ip_family: IpFamily::Ipv6,
        api_server_port: 443,
        api_server_address: "::1".into(),
        pod_subnet: "fd00:1::/56".into(),
        service_subnet: "fd00:2::/112".into(),
        disable_default_cni: true,
        kube_proxy_mode: KubeProxyMode::None,
        dns_search: Some(Vec::new()),
        ..Networking::default()
    }
}

#[test]
fn every_field_arrives() {
    assert_eq!(read(EVERYTHING).unwrap(), everything());
}

#[test]
fn null_is_as_good_as_nothing() {
    let fields = "name:\nnodes: ~\nnetworking: {ipFamily: , dnsSearch: null}\nfeatureGates: null\n";
    assert_eq!(read(fields).unwrap(), Cluster::default());
}

#[test]
fn numbers_may_be_written_in_many_ways() {
    for (text, number) in [
        ("0x10", 16),
        ("017", 15),
        ("1_000", 1000),
        ("1e3", 1000),
        ("-1.0", -1),
    ] {
        let cluster = read(&format!("networking: {{apiServerPort: {text}}}\n")).unwrap();
        assert_eq!(cluster.networking.api_server_port, number, "{text}");
    }
    for text in ["1.5", "1e10", ".inf", "\"1\""] {
        assert!(
            read(&format!("networking: {{apiServerPort: {text}}}\n")).is_err(),
            "{text}"
        );
    }
}

#[test]
fn aliases_and_merges_are_followed() {
    let fields =
        "nodes:\n- &worker {role: worker, image: a}\n- *worker\n- {<<: *worker, image: b}\n";
    let nodes = read(fields).unwrap().nodes;
    assert_eq!(nodes[0], nodes[1]);
    assert_eq!(
        (&nodes[2].role, nodes[2].image.as_str()),
        (&Role::Worker, "b")
    );
}

#[test]
fn all_problems_are_reported_with_their_lines() {
    let fields = "nodes:\n- rol: worker\n- image: [a]\n  extraMounts: x\nnetworking:\n  podSubnet: {}\n\
                      featureGates:\n  A: true\n  A: 1\n";
    assert_eq!(
        read(fields).unwrap_err().to_string(),
        "unable to decode config: yaml: unmarshal errors:\n\
             \x20 line 4: field rol not found in type v1alpha4.Node\n\
             \x20 line 5: cannot unmarshal !!seq into string\n\
             \x20 line 6: cannot unmarshal !!str `x` into []v1alpha4.MountAlias\n\
             \x20 line 8: cannot unmarshal !!map into string\n\
             \x20 line 11: mapping key \"A\" already defined at line 10"
    );
}

#[test]
fn a_block_of_text_is_where_its_sign_is() {
    assert_eq!(
        read("name: a\nnodes: |\n\n  text\n")
            .unwrap_err()
            .to_string(),
        "unable to decode config: yaml: unmarshal errors:\n\
             \x20 line 4: cannot unmarshal !!str `\ntext\n` into []v1alpha4.Node"
    );
}

#[test]
fn structure_that_is_wrong_is_refused() {
    for (text, problem) in [
        (
            format!("{HEADER}nodes:\n- role: worker\n extraMounts: []\n"),
            "",
        ),
        (
            format!("{HEADER}nodes:\n  - role: control-plane\n  extraMounts:\n  - hostPath: a\n"),
            "",
        ),
        (format!("{HEADER}name: 'open\n"), ""),
        (
            format!("{HEADER}nodes:\n- extraPortMappings:\n  - {{protocol: ICMP}}\n"),
            "Unknown PortMappingProtocol: \"ICMP\"",
        ),
        (String::from("kind: not-valid\n"), "unknown apiVersion: "),
    ] {
        let error = Cluster::parse(&text).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn errors_come_with_what_to_do() {
    for (text, hint) in [
        ("networkin: {}\n", "line 3: did you mean `networking`?"),
        ("Name: x\n", "line 3: did you mean `name`?"),
        (
            "nodes:\n- extraMounts:\n  - propagation: shared\n",
            "line 5: use one of None, HostToContainer, Bidirectional",
        ),
        (
            "nodes:\n\t- role: worker\n",
            "YAML is indented with spaces, not with tabs",
        ),
        (
            "apiServerPort: 1\n",
            "line 3: `apiServerPort` belongs in `networking`",
        ),
        (
            "networking: {apiServerPort: \"1\"}\n",
            "line 3: write the number without quotes",
        ),
        (
            "kubeadmConfigPatches:\n- kind: X\n",
            "line 4: this is text: begin a block of lines with `|`",
        ),
        (
            "nodes: {role: worker}\n",
            "line 3: this is a list: begin each item with `- `",
        ),
        (
            "featureGates:\n- A=true\n",
            "line 4: write `key: value` without `- ` in front",
        ),
        (
            "nodes: [role: a\n",
            "check that brackets and quotes are closed",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().hints(), [hint], "{text}");
    }
    let hints = Cluster::parse("").unwrap_err().hints();
    assert!(hints[0].contains("apiVersion: kind.x-k8s.io/v1alpha4"));
    assert_eq!(read("bogus: 1\n").unwrap_err().hints(), [""; 0]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(fields in "[ \n:\\-\\[\\]{}a-z'\"0-9&*<>|]{0,60}") {
        if let Ok(mut cluster) = read(&fields) {
            cluster.set_defaults();
            let once = cluster.clone();
            cluster.set_defaults();
            proptest::prop_assert_eq!(cluster, once);
        }
    }
}
