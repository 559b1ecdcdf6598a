//! Requests of recorded versions.

use std::time::Duration;

use kind_config::{Cluster, Role};
use kind_kubeadm::{ClusterSettings, NodeFacts, NodeSettings};
use kind_node::request::{Request, Step};

use super::steps::owned_words;
use super::*;
use crate::plan::UserManifest;

fn requested(version: &str, prepared: bool, config: &str, wait: Option<Duration>) -> String {
    let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n{config}");
    let mut cluster = Cluster::parse(&text).unwrap();
    cluster.set_defaults();
    let mut facts = NodeFacts::new("kind-control-plane", "native", version).unwrap();
    facts.ipv4 = Some([172, 18, 0, 2].into());
    facts.skip_phases = owned_words(&["addon/coredns", KUBELET_FINALIZE]);
    let manifests = Manifests {
        cni: Some("CNI".to_owned()),
        dns: Some("DNS".to_owned()),
        services: None,
        storage: Some("STORAGE".to_owned()),
        of_user: vec![UserManifest {
            name: "mine.yaml".to_owned(),
            text: "MINE".to_owned(),
        }],
    };
    let names = cluster.node_names();
    let pod_cidrs = owned_words(&["10.244.0.0/24"]);
    let pod_cidr_assignments = names.iter().map(|node| PodCidrAssignment {
        node,
        pod_cidrs: &pod_cidrs,
    });
    let pod_cidr_assignments: Vec<_> = pod_cidr_assignments.collect();
    let node = NodeSettings::new(0, &cluster.nodes[0]).unwrap();
    let settings = ClusterSettings::new(&cluster).unwrap();
    let first = First {
        cluster: &settings,
        node: &node,
        facts: &facts,
        documents: &kind_kubeadm::patched(&settings, &node, &facts).unwrap(),
        pod_cidr_assignments: &pod_cidr_assignments,
        manifests: &manifests,
        prepared,
        etcd_of_several: false,
        asks_runtime: false,
        unused_token: (names.len() == 1).then_some("abc012"),
        reads: match cluster
            .nodes
            .iter()
            .filter(|node| node.role == Role::ControlPlane)
            .count()
        {
            1 => &[],
            _ => &SHARED_FILES,
        },
    };
    let readiness = Readiness {
        nodes: 1,
        service_address: true,
    };
    let mut request = first.bootstrap_request().unwrap();
    request
        .steps
        .extend(wait.map(|limit| await_nodes_step(readiness, limit)));
    let lines = request.steps.iter().flat_map(lines);
    lines.collect::<Vec<_>>().join("\n")
}

/// A step as readable lines.
fn lines(step: &Step) -> Vec<String> {
    match step {
        Step::Run { argv, stdin, .. } => {
            let stdin = stdin
                .as_ref()
                .map_or(String::new(), |text| format!(" < {text}"));
            vec![format!("run {}{stdin}", argv.join(" "))]
        }
        Step::Wait {
            argv, timeout_ms, ..
        } => {
            vec![format!("wait {timeout_ms} ms for {}", argv.join(" "))]
        }
        Step::Together { sequences } => {
            let steps = sequences.iter().flatten().flat_map(lines);
            steps.map(|line| format!("together {line}")).collect()
        }
        Step::WaitSocket {
            path, timeout_ms, ..
        } => {
            vec![format!(
                "WaitSocket {{ path: {path:?}, timeout_ms: {timeout_ms} }}"
            )]
        }
        Step::Read { path, .. } => vec![format!("Read {{ path: {path:?} }}")],
        Step::Mark { id } => vec![format!("Mark {{ name: {:?} }}", id.as_str())],
    }
}

#[test]
fn an_old_version_with_its_own_dns() {
    insta::assert_snapshot!(requested(
        "v1.20.2",
        true,
        "",
        Some(Duration::from_secs(90))
    ));
}

#[test]
fn a_new_version() {
    insta::assert_snapshot!(requested("v1.37.0", true, "", None));
}

#[test]
fn a_version_whose_certificates_kubeadm_makes() {
    insta::assert_snapshot!(requested("v1.37.0", false, "", None));
}

/// Where certificates are kubeadm's, only it can make what the load balancer needs.
#[test]
fn a_load_balancer_gets_access_to_the_cluster() {
    let several = "nodes: [{role: control-plane}, {role: control-plane}]\n";
    for (config, prepared, expected) in [(several, false, 1), (several, true, 0), ("", false, 0)] {
        let request = requested("v1.37.0", prepared, config, None);
        let made = request.matches("kubeadm kubeconfig user").count();
        let read = request
            .matches("Read { path: \"/kind/load-balancer.conf\" }")
            .count();
        assert_eq!((made, read), (expected, expected), "{request}");
    }
}

#[test]
fn taints_stay_beside_workers() {
    let request = requested(
        "v1.37.0",
        true,
        "nodes: [{role: control-plane}, {role: worker}]\n",
        None,
    );
    assert!(!request.contains("taint"), "{request}");
}

fn text(request: &Request) -> String {
    let lines = request.steps.iter().flat_map(lines);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn joining_nodes_follow_their_addresses_unless_the_user_brings_the_network() {
    let facts = NodeFacts::new("kind-worker", "native", "v1.37.0").unwrap();
    insta::assert_snapshot!(text(&join_request(&facts, false, true)));
    assert!(!text(&join_request(&facts, false, false)).contains("registration"));
    let own = text(&join_request(&facts, true, false));
    let last = own.find("kubeadm init phase kubelet-start --config=/kind/kubeadm-start.conf");
    assert!(last > own.find("kubeadm join"), "{own}");
}

#[test]
fn nodes_that_start_alone() {
    let facts = NodeFacts::new("kind-worker", "native", "v1.37.0").unwrap();
    insta::assert_snapshot!(text(&start_request(
        &facts,
        &Role::Worker,
        "unix:///run/c.sock",
        true
    )));
    let facts = NodeFacts::new("kind-control-plane2", "native", "v1.20.2").unwrap();
    let started = start_request(&facts, &Role::ControlPlane, "unix:///run/c.sock", false);
    insta::assert_snapshot!(text(&started));
    insta::assert_snapshot!(text(&mark_request(&facts)));
}
