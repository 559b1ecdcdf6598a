//! Pods of different nodes.

use kind_e2e::eventually;

use crate::clusters::MANY;
use crate::world::World;

/// The image of the sample app, which no node pulls.
pub(crate) const SAMPLE: &str = "image: 'docker.io/library/kind-sample:v1', imagePullPolicy: Never";

pub(crate) fn pods_of_different_nodes_talk(world: &World) {
    world.load_sample(&MANY);
    for (name, node) in [("one", "many-worker"), ("two", "many-worker2")] {
        world.kind.apply(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{nodeName: {node}, \
             terminationGracePeriodSeconds: 1, containers: [{{name: sample, {SAMPLE}}}]}}\n"
        ));
    }
    let wait = [
        "wait",
        "pod",
        "one",
        "two",
        "--for=condition=Ready",
        "--timeout=90s",
    ];
    world.kind.ask(&wait).expect("pods become ready");
    the_pods_talk(world);
}

/// The first pod gets an answer of the second.
pub(crate) fn the_pods_talk(world: &World) {
    let address = world.get(&["pod", "two"], "{.status.podIP}");
    let script =
        format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {address} 8080 | grep Hello");
    eventually("a pod answers one of another node", 30, || {
        let answer = world.kind.shell("one", &script);
        match answer.code {
            0 => Ok(()),
            _ => Err(answer),
        }
    });
}
