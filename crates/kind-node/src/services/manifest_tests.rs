//! The manifests that run this add-on, as far as they must agree with the program and each other.

const MANIFEST: &str = include_str!("../../manifests/default-services.yaml");
const NETWORK: &str = include_str!("../../manifests/default-cni.yaml");

#[test]
fn the_image_is_of_this_version() {
    let image = concat!(
        "image: docker.io/kindest/kind-node:v",
        env!("CARGO_PKG_VERSION"),
        "\n"
    );
    assert_eq!(MANIFEST.matches("image:").count(), 1);
    assert!(MANIFEST.contains(image));
    assert!(MANIFEST.contains("args: [services]\n"));
    assert!(MANIFEST.contains("would you kindly patch this file"));
    for variable in ["HOST_IP", "NODE_NAME"] {
        assert!(MANIFEST.contains(&format!("- name: {variable}\n")));
    }
}

#[test]
fn the_pod_network_may_do_the_same() {
    for right in [
        "resources: [services/status]\n    verbs: [patch]\n",
        "resources: [leases]\n    verbs: [create]\n",
        "resourceNames: [kind-services]\n    verbs: [get, update]\n",
        "add: [NET_ADMIN, NET_RAW]\n",
    ] {
        assert!(MANIFEST.contains(right), "{right}");
        assert!(NETWORK.contains(right), "{right}");
    }
}
