//! The manifests that run this add-on, as far as they must agree with the program and each other.

use crate::testing::assert_runs;

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
