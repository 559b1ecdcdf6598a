//! The published schema of every document, and documents as they look.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::envelope::API_VERSION;
use super::*;
use crate::exit::Failure;

fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut kinds = Map::new();
    add::<EventLine>(&mut generator, &mut kinds);
    add::<ErrorDocument>(&mut generator, &mut kinds);
    add::<Plan>(&mut generator, &mut kinds);
    add::<Diagnosis>(&mut generator, &mut kinds);
    add::<ClusterList>(&mut generator, &mut kinds);
    add::<NodeList>(&mut generator, &mut kinds);
    add::<Explanation>(&mut generator, &mut kinds);
    add::<ExplanationList>(&mut generator, &mut kinds);
    add::<Kubeconfig>(&mut generator, &mut kinds);
    add::<Config>(&mut generator, &mut kinds);
    add::<ValidConfig>(&mut generator, &mut kinds);
    add::<CreatedCluster>(&mut generator, &mut kinds);
    add::<DeletedCluster>(&mut generator, &mut kinds);
    add::<StartedCluster>(&mut generator, &mut kinds);
    add::<StoppedCluster>(&mut generator, &mut kinds);
    add::<DeletedClusters>(&mut generator, &mut kinds);
    add::<ExportedKubeconfig>(&mut generator, &mut kinds);
    add::<ExportedLogs>(&mut generator, &mut kinds);
    add::<LoadedImages>(&mut generator, &mut kinds);
    add::<PrunedItems>(&mut generator, &mut kinds);
    add::<BuiltNodeImage>(&mut generator, &mut kinds);
    add::<Version>(&mut generator, &mut kinds);
    add::<CompletionScript>(&mut generator, &mut kinds);
    add::<Help>(&mut generator, &mut kinds);
    let choices: Vec<_> = kinds
        .keys()
        .map(|kind| json!({ "$ref": format!("#/$defs/{kind}") }))
        .collect();
    let mut definitions = generator.take_definitions(true);
    definitions.append(&mut kinds);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What kind writes with --output json",
        "oneOf": choices,
        "$defs": definitions,
    })
}

/// Adds a document's schema, with its version and its kind.
fn add<T: Document + JsonSchema>(generator: &mut SchemaGenerator, kinds: &mut Map<String, Value>) {
    let mut schema = T::json_schema(generator).to_value();
    schema["properties"]["apiVersion"] = json!({ "const": API_VERSION });
    schema["properties"]["kind"] = json!({ "const": T::KIND });
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let names = [json!("apiVersion"), json!("kind")];
    schema["required"] = names.into_iter().chain(required).collect();
    kinds.insert(T::KIND.to_owned(), schema);
}

/// `KIND_WRITE_SCHEMAS=1` writes it anew.
#[test]
fn the_published_schema_is_current() {
    let text = format!("{:#}\n", schema());
    let path = kind_testkit::schema::path("cli-v1");
    if std::env::var_os("KIND_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap();
    assert!(
        published == text,
        "schemas/cli-v1.json is old; write it with KIND_WRITE_SCHEMAS=1 cargo test -p kind-cli"
    );
}

#[test]
fn documents_name_their_version_and_kind() {
    let list = ClusterList {
        clusters: vec![Cluster {
            name: "a".to_owned(),
        }],
    };
    assert_eq!(
        document_line(&list),
        "{\"apiVersion\":\"cli.kind.x-k8s.io/v1\",\"kind\":\"ClusterList\",\"clusters\":[{\"name\":\"a\"}]}\n"
    );
}

#[test]
fn errors_have_a_code_a_cause_and_a_remedy() {
    let failure =
        Failure::during("failed to create cluster")(kind::Error::ClusterExists("a".into()));
    let error: Value =
        serde_json::from_str(&document_line(&ErrorDocument::from(&failure))).unwrap();
    assert_eq!(error["kind"], "Error");
    assert_eq!(error["code"], "KIND-CLUSTER-EXISTS");
    assert_eq!(
        error["message"],
        "failed to create cluster: node(s) already exist for a cluster with the name \"a\""
    );
    assert_eq!(error["cause"], Value::Null);
    assert!(error["remedy"].as_str().unwrap().contains("--name"));
    assert_eq!(error["exitCode"], 1);
}
