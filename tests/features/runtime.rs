//! The container runtime of the node image.

use std::fs;

use kind_image::packages::{LABEL_PREFIX, Packages, RECORD};
use serde_json::Value;

use crate::world::{NODE, World};

pub(crate) fn a_cluster_of_the_image_becomes_ready(world: &World) {
    let answer = world.create();
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert!(answer.stderr.contains(" • Ready after "), "{answer:#?}");
    world.load(&world.sample);
    let record = Packages::parse(&world.inside(&format!("cat /{RECORD}"))).expect("a record");
    let installed = world.inside("dpkg-query --show --showformat='${Version}' containerd");
    assert_eq!(record.0["containerd"].version, installed);
    let too_old = answer.stderr.contains("is too old for Kubernetes");
    let version = world.inside("cat /kind/version");
    assert_eq!(
        too_old,
        !record.shortcomings(version.trim()).is_empty(),
        "{answer:#?}"
    );
    if !world.engine.is_native() {
        let format = format!("{{{{index .Config.Labels \"{LABEL_PREFIX}containerd\"}}}}");
        let label = world.engine.client(&["inspect", "--format", &format, NODE]);
        assert_eq!(
            label.expect("inspect").trim(),
            record.0["containerd"].to_string()
        );
    }
}

/// containerd 2 says which keys of its configuration it does not know. An older one is asked what it uses.
pub(crate) fn containerd_knows_its_whole_configuration(world: &World) {
    let dump = world.inside("containerd config dump");
    if dump.starts_with("version = 2") {
        let config = world.inside("cat /etc/containerd/config.toml");
        let keys = config
            .lines()
            .filter_map(|line| line.trim().split_once(" = "));
        for (key, value) in keys {
            assert!(
                dump.contains(&format!("{key} = {value}")),
                "{key} in {dump}"
            );
        }
        return;
    }
    let logs = world.directory.path().join("logs");
    let export = [
        "export",
        "logs",
        "--name",
        crate::world::CLUSTER,
        logs.to_str().unwrap(),
    ];
    world.kind.run(&export).expect("export logs");
    let log = fs::read_to_string(logs.join(NODE).join("containerd.log")).unwrap();
    assert!(log.contains("containerd successfully booted"), "{log}");
    let unknown = |line: &&str| line.to_lowercase().contains("unknown key");
    assert_eq!(log.lines().find(unknown), None);
}

pub(crate) fn the_node_tells_what_it_can_do(world: &World) {
    let status = world.kind.ask(&["get", "node", NODE, "--output=json"]);
    let node: Value = serde_json::from_str(&status.expect("get node")).unwrap();
    let status = &node["status"];
    assert_eq!(
        status["features"]["supplementalGroupsPolicy"], true,
        "{status:#}"
    );
    let handlers = status["runtimeHandlers"]
        .as_array()
        .expect("runtime handlers");
    for feature in ["recursiveReadOnlyMounts", "userNamespaces"] {
        let has = |handler: &Value| handler["features"][feature] == true;
        assert!(handlers.iter().any(has), "{feature}: {status:#}");
    }
}
