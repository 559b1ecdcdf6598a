//! `--output json` on real clusters, held against the published schema.

use kind_e2e::Answer;
use kind_testkit::schema::Schema;
use serde_json::Value;

use crate::world::World;

/// Everything that a command told, and last its result. All of it fits the schema.
pub(crate) fn documents(schema: &Schema, answer: &Answer) -> Vec<Value> {
    let lines = answer.stderr.lines().chain([answer.stdout.as_str()]);
    let documents = lines.filter(|text| !text.is_empty()).map(|text| {
        let document: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(schema.check(&document), Ok(()), "{text}");
        document
    });
    documents.collect()
}

pub(crate) fn results_for_programs_fit_their_schema(world: &World) {
    let schema = Schema::published("cli-v1");
    let other = world.directory.path().join("for-programs");
    let logs = world.directory.path().join("logs-for-programs");
    let [other, logs] = [&other, &logs].map(|path| path.to_str().unwrap());
    let sample = world.sample.to_str().unwrap();
    for (arguments, kind) in [
        (&["get", "clusters"][..], "ClusterList"),
        (&["get", "nodes", "--name", "e2e"], "NodeList"),
        (&["get", "kubeconfig", "--name", "e2e"], "Kubeconfig"),
        (
            &[
                "export",
                "kubeconfig",
                "--name",
                "e2e",
                "--kubeconfig",
                other,
            ],
            "ExportedKubeconfig",
        ),
        (&["export", "logs", "--name", "e2e", logs], "ExportedLogs"),
        (
            &["load", "image-archive", "--name", "e2e", sample],
            "LoadedImages",
        ),
        (&["start", "cluster", "--name", "e2e"], "StartedCluster"),
        (&["prune", "--dry-run"], "PrunedItems"),
    ] {
        let answer = world
            .kind
            .run(&[&["-o", "json", "-v", "9"], arguments].concat());
        assert_eq!(answer.code, 0, "{arguments:?}: {answer:#?}");
        let told = documents(&schema, &answer);
        let result = told.last().unwrap();
        assert_eq!(result["kind"], kind, "{arguments:?}");
    }
    let node = &world.kind.run(&["-ojson", "get", "nodes", "--name", "e2e"]);
    let nodes = documents(&schema, node).pop().unwrap();
    assert_eq!(nodes["nodes"][0]["running"], true, "{nodes}");
}
