//! A node image with manifests of the form that published ones have: they are applied as the original
//! kind does it, and nothing of ours is.

use kind_e2e::eventually;

use crate::packed;
use crate::world::World;

/// By this annotation `kubectl apply` differs from `kubectl create`.
const APPLIED: &str = "last-applied-configuration";

/// The pod network is created with its places filled in, storage is applied as it is, names are CoreDNS's,
/// and the node becomes ready.
pub(crate) fn a_published_images_manifests_are_applied(world: &World) {
    packed::create(world);
    let get = |object: &[&str]| {
        let output = ["--namespace", "kube-system", "--output", "json"];
        let found = world.kind.ask(&[&["get"], object, &output].concat());
        found.expect("get an object")
    };
    let network = get(&["daemonset", "kindnet"]);
    for text in [
        r#""from": "the-image""#,
        r#""value": "10.244.0.0/16""#,
        r#""name": "CONTROL_PLANE_ENDPOINT""#,
        r#""value": "packed-control-plane:6443""#,
    ] {
        assert!(network.contains(text), "{text} is missing in:\n{network}");
    }
    assert!(!network.contains(APPLIED), "{network}");
    let storage = get(&["storageclass", "standard"]);
    assert!(storage.contains(r#""from": "the-image""#), "{storage}");
    assert!(storage.contains(APPLIED), "{storage}");
    get(&["deployment", "coredns"]);
    let others = get(&["daemonsets", "--all-namespaces"]);
    for ours in ["coredns", "kind-services", "local-path-provisioner"] {
        assert!(!others.contains(ours), "{ours} comes from elsewhere");
    }
    eventually("the node is ready", 60, || {
        let nodes = world.kind.ask(&["get", "nodes", "--no-headers"]);
        if nodes.stdout.contains(" Ready ") {
            Ok(())
        } else {
            Err(nodes)
        }
    });
}
