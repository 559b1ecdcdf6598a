//! JSON patches (RFC 6902).

use json_patch::PatchOperation;
use kind_config::{JsonPatch, yaml};
use serde_json::Value;

use super::PatchError;
use super::matching::{Target, text_field};

const KIND: &str = "JSON 6902 patches";
const PATCH: &str = "JSON 6902 patch";

/// A JSON patch and the documents it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OperationPatch {
    field: String,
    target: Target,
    operations: json_patch::Patch,
}

impl OperationPatch {
    pub(super) fn parse(patch: &JsonPatch, field: String) -> Result<Self, PatchError> {
        Ok(Self {
            target: Target::of_operations(patch),
            operations: parse_operations(&patch.patch, &field)?,
            field,
        })
    }

    pub(super) fn apply(&self, document: &mut Value) -> Result<(), PatchError> {
        if !self.target.matches(document) {
            return Ok(());
        }
        let target = text_field(document, "kind").to_owned();
        apply_operations(&self.operations, document, &self.field, &target)?;
        match find_dash_key(&self.operations, document) {
            None => Ok(()),
            Some(path) => {
                let reason = format!(
                    "{path}: a map of flags and values stands here, not a list; write the flag's name instead of -"
                );
                Err(PatchError::apply(PATCH, &self.field, &target, reason))
            }
        }
    }
}

/// A JSON patch for the one document that it stands beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operations {
    field: String,
    operations: json_patch::Patch,
}

impl Operations {
    /// Parses a JSON patch, YAML or JSON. `field` names where it stands, for errors.
    ///
    /// # Errors
    /// The text is not a list of operations.
    pub(crate) fn parse(text: &str, field: String) -> Result<Self, PatchError> {
        let operations = parse_operations(text, &field)?;
        Ok(Self { field, operations })
    }

    /// Changes the document.
    ///
    /// # Errors
    /// An operation does not apply.
    pub(crate) fn apply(&self, document: &mut Value) -> Result<(), PatchError> {
        apply_operations(&self.operations, document, &self.field, "")
    }
}

fn parse_operations(text: &str, field: &str) -> Result<json_patch::Patch, PatchError> {
    let operations = yaml::parse_last_wins(text);
    let operations = operations.map_err(|error| PatchError::yaml(KIND, field, error))?;
    if operations.is_null() {
        return Ok(json_patch::Patch(Vec::new()));
    }
    if operations.as_sequence().is_none() {
        return Err(PatchError::parse(
            KIND,
            field,
            "it must be a list of operations, each with op and path",
        ));
    }
    serde_json::from_value(operations.to_json())
        .map_err(|error| PatchError::parse(KIND, field, error))
}

/// The path of an operation that was to lengthen a list, and has given a map of extra arguments the key `-`.
fn find_dash_key<'a>(operations: &'a json_patch::Patch, document: &Value) -> Option<&'a str> {
    let added = operations.0.iter().filter_map(|operation| match operation {
        PatchOperation::Add(add) => Some(add.path.as_str()),
        _ => None,
    });
    let mut lengthening = added.filter(|path| path.ends_with("xtraArgs/-"));
    lengthening.find(|path| document.pointer(path).is_some())
}

fn apply_operations(
    operations: &json_patch::Patch,
    document: &mut Value,
    field: &str,
    target: &str,
) -> Result<(), PatchError> {
    json_patch::patch(document, operations).map_err(|error| {
        // The operation's index and path are in the error's own text.
        PatchError::apply(PATCH, field, target, error)
    })
}
