//! The published JSON schemas: current, and right about recorded configurations.

use std::path::Path;

use kind_config::{ApiVersion, Cluster, Source, json_schema, yaml};
use kind_testkit::golden;
use kind_testkit::schema::{self, Schema};
use serde_json::Value;

fn name(version: ApiVersion) -> String {
    format!("cluster-{}", version.short())
}

/// What a validator says of a document under the published schema of a version.
fn check(version: ApiVersion, document: &Value) -> Result<(), String> {
    Schema::published(&name(version)).check(document)
}

fn json(text: &str) -> Value {
    yaml::parse(text)
        .expect("configurations are YAML")
        .to_json()
}

/// With `KIND_WRITE_SCHEMAS=1` the test writes the files.
#[test]
fn the_published_schemas_are_those_of_the_types() {
    for version in ApiVersion::ALL {
        let (path, schema) = (schema::path(&name(*version)), json_schema(*version));
        if std::env::var_os("KIND_WRITE_SCHEMAS").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == schema,
            "{} is old: run this test with KIND_WRITE_SCHEMAS=1",
            path.display()
        );
    }
}

#[test]
fn what_kind_accepts_is_valid() {
    let cases = golden::config_cases().into_iter().map(|case| case.input);
    let created = golden::create_cases().into_iter().map(|case| case.config);
    let mut accepted = 0;
    for text in cases.chain(created) {
        let valid = Cluster::parse(&text).and_then(|mut cluster| {
            cluster.set_defaults();
            cluster.validate()
        });
        if valid.is_err() {
            continue;
        }
        accepted += 1;
        assert_eq!(check(ApiVersion::V1alpha4, &json(&text)), Ok(()), "{text}");
        let converted = kind_config::convert(&text, ApiVersion::V1beta1).unwrap();
        assert_eq!(
            check(ApiVersion::V1beta1, &json(&converted)),
            Ok(()),
            "{converted}"
        );
    }
    assert!(accepted > 30, "{accepted}");
}

/// What cannot be decoded is invalid, wherever a schema can know it.
#[test]
fn what_cannot_be_decoded_is_invalid() {
    let mut refused = 0;
    for case in golden::config_cases() {
        let Ok(document) = yaml::parse(&case.input) else {
            continue;
        };
        if Cluster::parse(&case.input).is_err() {
            refused += 1;
            let checked = check(ApiVersion::V1alpha4, &document.to_json());
            assert!(checked.is_err(), "{}", case.input);
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn the_old_version_does_not_know_new_fields() {
    let old = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- taints: []\n";
    assert!(check(ApiVersion::V1alpha4, &json(old)).is_err());
    let new = old.replace("v1alpha4", "v1beta1");
    assert_eq!(check(ApiVersion::V1beta1, &json(&new)), Ok(()));
}

#[test]
fn every_example_is_valid() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let index = std::fs::read_to_string(directory.join("README.md")).unwrap();
    let mut checked = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let source = Source::new(name, std::fs::read_to_string(&path).unwrap());
        let mut cluster = source.parse().unwrap();
        cluster.set_defaults();
        cluster.validate().unwrap();
        // What that one is for is what it warns of.
        let told = usize::from(name == "remote.yaml");
        assert_eq!(cluster.warnings().len(), told, "{name}");
        let version = source.version().unwrap();
        assert_eq!(check(version, &json(source.text())), Ok(()), "{name}");
        assert!(
            index.contains(&format!("[{name}]({name})")),
            "{name} is not in the README"
        );
        checked += 1;
    }
    assert!(checked >= 15, "{checked}");
}
