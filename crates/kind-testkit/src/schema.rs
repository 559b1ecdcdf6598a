//! The JSON schemas that are published in `schemas/`.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// All of them; carried along, since tests run on other machines than they were built on.
const PUBLISHED: [(&str, &str); 3] = [
    ("cli-v1", include_str!("../../../schemas/cli-v1.json")),
    (
        "cluster-v1alpha4",
        include_str!("../../../schemas/cluster-v1alpha4.json"),
    ),
    (
        "cluster-v1beta1",
        include_str!("../../../schemas/cluster-v1beta1.json"),
    ),
];

/// A published schema, ready to judge documents.
pub struct Schema {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    /// The schema of that name, for example `cli-v1`.
    pub fn published(name: &str) -> Self {
        let published = PUBLISHED.iter().find(|(known, _)| *known == name);
        let (_, text) = published.expect("a schema of that name");
        let schema: Value = serde_json::from_str(text).expect("schemas are JSON");
        let mut compiler = boon::Compiler::new();
        let mut schemas = boon::Schemas::new();
        compiler
            .add_resource("schema.json", schema)
            .expect("the name is free");
        let index = compiler
            .compile("schema.json", &mut schemas)
            .expect("schemas are schemas");
        Self { schemas, index }
    }

    /// What is wrong with a document, if anything is.
    ///
    /// # Errors
    /// The validator's words.
    pub fn check(&self, document: &Value) -> Result<(), String> {
        let checked = self.schemas.validate(document, self.index);
        checked.map_err(|error| error.to_string())
    }
}

/// Where a schema is published.
pub fn path(name: &str) -> PathBuf {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    schemas.join(format!("{name}.json"))
}
