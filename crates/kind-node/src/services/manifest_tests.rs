//! The manifests that run this add-on, as far as they must agree with the program and each other.

use crate::testing::{assert_admits, assert_runs};

const MANIFEST: &str = include_str!("../../manifests/default-services.yaml");
const NETWORK: &str = include_str!("../../manifests/default-cni.yaml");

#[test]
fn the_program_is_of_this_version() {
    assert_runs(MANIFEST, "services");
    assert!(MANIFEST.contains("would you kindly patch this file"));
    for variable in ["HOST_IP", "NODE_NAME"] {
        assert!(MANIFEST.contains(&format!("- name: {variable}\n")));
    }
}

#[test]
fn the_pod_network_may_do_the_same() {
    for right in [
        "resources: [services/status]\n    verbs: [patch]\n",
        "resources: [events]\n    verbs: [create, patch]\n",
        "resources: [leases]\n    verbs: [create]\n",
        "resourceNames: [kind-services]\n    verbs: [get, update]\n",
        "add: [NET_ADMIN, NET_RAW]\n",
    ] {
        assert!(MANIFEST.contains(right), "{right}");
        assert!(NETWORK.contains(right), "{right}");
    }
}

#[test]
fn an_account_of_a_worker_cannot_write_addresses_or_lead() {
    for (manifest, name) in [(MANIFEST, "kind-services"), (NETWORK, "kindnet")] {
        let account =
            format!("request.userInfo.username == 'system:serviceaccount:kube-system:{name}'\n");
        let lines = [
            account.as_str(),
            "operations: [UPDATE]\n        resources: [services/status]\n",
            "operations: [CREATE, UPDATE]\n        resources: [leases]\n",
            "paramKind:\n    apiVersion: v1\n    kind: Node\n",
            "!(params.metadata.name in request.userInfo.extra['authentication.kubernetes.io/node-name'])\n",
        ];
        assert_admits(manifest, name, &lines);
        let workers = format!(
            "- key: {}\n          operator: DoesNotExist\n",
            super::lease::CONTROL_PLANE
        );
        assert!(manifest.contains(&workers));
        // A cluster without workers has nobody to keep out.
        assert!(manifest.contains("parameterNotFoundAction: Allow\n"));
    }
}
