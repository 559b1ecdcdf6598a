//! `kind doctor` on real clusters and their hosts.

use kind_e2e::eventually;
use kind_testkit::schema::Schema;
use serde_json::Value;

use crate::json::documents;
use crate::world::World;

/// What must be well in a cluster that serves.
const WELL: [&str; 8] = [
    "nodes-running",
    "nodes-answering",
    "api-server",
    "api-server-port",
    "kubeconfig-context",
    "nodes-ready",
    "certificates",
    "node-clocks",
];

pub(crate) fn doctor_finds_a_running_cluster_well(world: &World) {
    let schema = Schema::published("cli-v1");
    // A busy machine may be too slow for the limit of two seconds.
    eventually("the cluster is found well", 60, || {
        let answer = world.kind.run(&["-ojson", "doctor", "e2e"]);
        let document = documents(&schema, &answer).pop().unwrap();
        let checks = document["checks"].as_array().unwrap();
        let verdict = |id: &&str| {
            let mut found = checks.iter().filter(|check| check["id"] == **id);
            found.next().map(|check| check["verdict"].clone())
        };
        let is_well = |id: &&str| verdict(id) == Some(Value::from("ok"));
        WELL.iter().all(is_well).then_some(()).ok_or(document)
    });
}

pub(crate) fn doctor_knows_the_engine_of_the_host(world: &World) {
    let schema = Schema::published("cli-v1");
    let answer = world.kind.run(&["-ojson", "doctor"]);
    let document = documents(&schema, &answer).pop().unwrap();
    let engine = &document["checks"][0];
    assert_eq!(
        (&engine["id"], &engine["verdict"]),
        (&"engine".into(), &"ok".into())
    );
}
