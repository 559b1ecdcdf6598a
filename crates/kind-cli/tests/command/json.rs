//! `--output json` of every command, held against the published schema.

use kind_testkit::schema::Schema;
use serde_json::Value;

use crate::kubeconfig::clusters;
use crate::messages::docker;
use crate::run::Answer;

/// The document on stdout, if there is one. Everything that was written fits the schema.
fn checked(schema: &Schema, answer: &Answer) -> Option<Value> {
    let check = |text: &str| {
        let document: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(schema.check(&document), Ok(()), "{text}");
        document
    };
    for line in answer.stderr.lines() {
        let kind = check(line)["kind"].clone();
        assert!(kind == "Event" || kind == "Error", "{line}");
    }
    (!answer.stdout.is_empty()).then(|| check(&answer.stdout))
}

#[test]
fn every_result_fits_the_schema() {
    let schema = Schema::published("cli-v1");
    let (none, two) = (docker(), clusters());
    let config = two.file(
        "a.yaml",
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n",
    );
    let logs = two.path("logs").display().to_string();
    for (stage, line, kind) in [
        (&none, "get clusters", "ClusterList"),
        (&none, "get nodes", "NodeList"),
        (&none, "delete cluster", "DeletedCluster"),
        (&none, "delete clusters a", "DeletedClusters"),
        (&none, "create cluster --dry-run", "Plan"),
        (&none, "version", "Version"),
        (&none, "--version", "Version"),
        (&none, "completion zsh", "CompletionScript"),
        (&none, "create --help", "Help"),
        (&none, "help", "Help"),
        (&none, "prune --dry-run", "PrunedItems"),
        (&none, "explain", "ExplanationList"),
        (&none, "explain eng-port-taken", "Explanation"),
        (&two, "get clusters", "ClusterList"),
        (&two, "get nodes -A", "NodeList"),
        (&two, "get kubeconfig --name one", "Kubeconfig"),
        (&two, "export kubeconfig --name one", "ExportedKubeconfig"),
        (
            &two,
            &format!("export logs --name one {logs}"),
            "ExportedLogs",
        ),
        (&two, "start cluster --name one", "StartedCluster"),
        (&two, "stop cluster --name one", "StoppedCluster"),
        (&two, "delete clusters --all", "DeletedClusters"),
        (&two, &format!("config validate {config}"), "ValidConfig"),
        (&two, &format!("config defaults {config}"), "Config"),
        (&two, &format!("config convert {config}"), "Config"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let answer =
            stage.run(&[&["-o", "json", "--provider", "docker", "-v9"], &words[..]].concat());
        assert_eq!(answer.code, 0, "{line}: {answer:#?}");
        let document = checked(&schema, &answer).unwrap_or_else(|| panic!("{line}: {answer:#?}"));
        assert_eq!(document["kind"], kind, "{line}");
    }
}

/// The schema of configurations is itself what `config schema` gives, in whatever form it is asked for.
#[test]
fn the_schema_of_configurations_is_the_published_one() {
    let published = std::fs::read_to_string(kind_testkit::schema::path("cluster-v1beta1")).unwrap();
    for line in [&["config", "schema"][..], &["-ojson", "config", "schema"]] {
        assert_eq!(docker().run(line).stdout, published, "{line:?}");
    }
}

#[test]
fn every_kind_of_document_is_described() {
    let guide =
        std::fs::read_to_string(kind_testkit::schema::path("../docs/json").with_extension("md"))
            .unwrap();
    let schema = std::fs::read_to_string(kind_testkit::schema::path("cli-v1")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for choice in schema["oneOf"].as_array().unwrap() {
        let kind = choice["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(
            guide.contains(&format!("`{kind}`")),
            "docs/json.md says nothing of {kind}"
        );
    }
}

#[test]
fn every_failure_fits_the_schema() {
    let schema = Schema::published("cli-v1");
    let stage = docker();
    for (line, code) in [
        ("create cluster", "KIND-NODE-CREATE"),
        ("create cluster --config nope", "KIND-IO"),
        ("get kubeconfig", "KIND-CONTROL-PLANE-MISSING"),
        ("load docker-image absent", "KIND-IMAGE-MISSING"),
        ("load image-archive", "KIND-USAGE"),
        ("export logs --name x", "KIND-CLUSTER-MISSING"),
        ("create cluster --bogus", "KIND-USAGE"),
        ("nonsense", "KIND-USAGE"),
        ("explain nonsense", "KIND-COMMAND"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let answer = stage.run(&[&["-ojson", "--provider=docker"], &words[..]].concat());
        assert_eq!(answer.code, 1, "{line}");
        assert_eq!(checked(&schema, &answer), None, "{line}");
        let last = answer.stderr.lines().last().unwrap();
        let error: Value = serde_json::from_str(last).unwrap();
        assert_eq!(error["kind"], "Error");
        assert_eq!(error["code"], code, "{line}");
        assert_eq!(error["exitCode"], 1);
    }
    let answer = stage.run(&["-ojson", "--provider=docker", "create", "cluster"]);
    let last = answer.stderr.lines().last().unwrap();
    let error: Value = serde_json::from_str(last).unwrap();
    assert_eq!(error["output"].as_str().map(str::trim), Some("boom"));
}
