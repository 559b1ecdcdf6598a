//! What every node has of certificates, and that nothing secret is readable.

use kind_config::{Cluster, Role};

use super::file::PRIVATE;
use super::names::Names;
use super::*;
use crate::NodeFacts;
use crate::testing::patched;

fn files(version: &str, node: &str, role: &Role) -> Vec<NodeFile> {
    let text = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n\
                nodes: [{role: control-plane}, {role: worker}]\n";
    let mut cluster = Cluster::parse(text).unwrap();
    cluster.set_defaults();
    let mut facts = NodeFacts::new(node, "native", version).unwrap();
    facts.ipv4 = Some([172, 18, 0, 2].into());
    let documents = patched(&cluster, &facts).unwrap();
    let authorities = Authorities::new().unwrap();
    authorities.files(&documents, &facts, role).unwrap()
}

fn listed(files: &[NodeFile]) -> String {
    let line = |file: &NodeFile| {
        let kind = match &file.content {
            Content::Text(_) => "",
            Content::Link(_) => " link",
        };
        let path: String = file.path.chars().filter(|c| !c.is_ascii_digit()).collect();
        format!("{:o} {path}{kind}", file.mode)
    };
    files.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_node_has_the_files_that_kubeadm_would_make() {
    let control_plane = files("v1.20.2", "kind-control-plane", &Role::ControlPlane);
    insta::assert_snapshot!("control_plane", listed(&control_plane));
    insta::assert_snapshot!(
        "worker",
        listed(&files("v1.37.0", "kind-worker", &Role::Worker))
    );
    let new = listed(&files("v1.37.0", "kind-control-plane", &Role::ControlPlane));
    assert!(
        new.contains("600 /etc/kubernetes/super-admin.conf"),
        "{new}"
    );
}

#[test]
fn nothing_with_a_key_can_be_read_by_others() {
    for file in files("v1.37.0", "kind-control-plane", &Role::ControlPlane) {
        let secret = match &file.content {
            Content::Text(text) => text.contains("PRIVATE KEY") || text.contains("client-key-data"),
            Content::Link(_) => false,
        };
        assert!(!secret || file.mode == PRIVATE, "{}", file.path);
    }
}

#[test]
fn names_and_addresses_are_told_apart_and_stand_once() {
    let names = Names::default().with(["a", "127.0.0.1", "a", "", "::1", "127.0.0.1"]);
    assert_eq!(names.names, ["a"]);
    assert_eq!(names.addresses.len(), 2);
}

#[test]
fn a_kubeconfig_names_its_user_and_server() {
    let files = files("v1.33.0", "kind-control-plane", &Role::ControlPlane);
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap();
        match &file.content {
            Content::Text(text) => text.clone(),
            Content::Link(_) => panic!("{path}"),
        }
    };
    let admin = text("/etc/kubernetes/admin.conf");
    assert!(
        admin.contains("server: https://kind-control-plane:6443\n"),
        "{admin}"
    );
    assert!(
        admin.contains("current-context: kubernetes-admin@kind\n"),
        "{admin}"
    );
    let kubelet = text("/etc/kubernetes/kubelet.conf");
    assert!(
        kubelet.contains("server: https://172.18.0.2:6443\n"),
        "{kubelet}"
    );
    assert!(kubelet.contains("client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n"));
}

/// kubeadm takes SHA-256 of the public key as it stands in a certificate, which is what a PEM of the key holds.
#[test]
fn an_authority_is_known_by_the_digest_of_its_public_key() {
    use base64::Engine as _;
    let authorities = Authorities::new().unwrap();
    let pem = authorities.cluster.public_key_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &der);
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(authorities.cluster_digest(), format!("sha256:{hex}"));
    assert_ne!(
        authorities.cluster_digest(),
        Authorities::new().unwrap().cluster_digest()
    );
}
