//! Which documents a patch is for.

use kind_config::JsonPatch;
use serde_json::Value;

/// What a document must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: String,
    /// Empty for any.
    pub(super) api_version: String,
}

impl Target {
    /// What a merge patch says of itself. Without a kind it is for no document.
    pub(super) fn of_patch(patch: &Value) -> Self {
        Self {
            kind: text_field(patch, "kind").to_owned(),
            api_version: text_field(patch, "apiVersion").to_owned(),
        }
    }

    /// What stands beside a JSON patch.
    pub(super) fn of_operations(patch: &JsonPatch) -> Self {
        let api_version = match patch.group.as_str() {
            "" => patch.version.clone(),
            group => format!("{group}/{}", patch.version),
        };
        Self {
            kind: patch.kind.clone(),
            api_version,
        }
    }

    /// True if a document is what the patch is for.
    pub(super) fn matches(&self, document: &Value) -> bool {
        !self.kind.is_empty()
            && self.kind == text_field(document, "kind")
            && (self.api_version.is_empty()
                || self.api_version == text_field(document, "apiVersion"))
    }
}

/// A field's text, empty if there is none.
pub(super) fn text_field<'a>(document: &'a Value, field: &str) -> &'a str {
    document
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
