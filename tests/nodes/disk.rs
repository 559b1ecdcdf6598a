//! A node's disk is full, and has room again.

use kind_e2e::eventually;

use crate::clusters::FEW;
use crate::traffic::SAMPLE;
use crate::world::World;

const NODE: &str = FEW.nodes[2];

/// The kubelet reports pressure and evicts the culprit; then there is room, and the node is well.
pub(crate) fn a_pod_that_fills_its_nodes_disk_is_evicted(world: &World) {
    world.load_sample(&FEW);
    world.kind.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: glutton}}\nspec: {{nodeName: {NODE}, \
         terminationGracePeriodSeconds: 1, volumes: [{{name: all, emptyDir: {{}}}}], \
         containers: [{{name: main, {SAMPLE}, volumeMounts: [{{name: all, mountPath: /all}}], \
         command: [/bin/sh, -c, 'cat /dev/zero > /all/of-it; sleep 3600']}}]}}\n"
    ));
    becomes(
        world,
        "the pod is evicted",
        &["pod", "glutton"],
        "{.status.reason}",
        "Evicted",
    );
    let path = "{.status.conditions[?(@.type==\"DiskPressure\")].status}";
    becomes(world, "there is room again", &["node", NODE], path, "False");
    world.nodes_become_ready(&FEW, 30);
    let delete = ["delete", "pod", "glutton", "--timeout=60s"];
    world.kind.ask(&delete).expect("delete pod");
}

fn becomes(world: &World, what: &str, object: &[&str], path: &str, expected: &str) {
    eventually(what, 150, || match world.get(object, path) {
        found if found == expected => Ok(()),
        found => Err((found, world.get(object, "{.status}"))),
    });
}
