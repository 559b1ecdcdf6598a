//! Merge patches (RFC 7386) with two special rules.
//!
//! `certSANs` grow instead of being replaced, and lists of extra arguments are merged by name, so
//! that a patch need not repeat what kind sets.

use kind_config::yaml;
use serde_json::{Map, Value};

use super::PatchError;
use super::arguments::{self, Form};
use super::matching::{Target, text_field};
use crate::stream::{document_lines, split_documents};

const KIND: &str = "patches";

/// A merge patch for documents of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MergePatch {
    field: String,
    pub(super) target: Target,
    pub(super) patch: Map<String, Value>,
    /// Its lines: how many of the text's are before them, and they themselves.
    pub(super) lines: (usize, String),
}

impl MergePatch {
    /// Parses a stream of patches. Documents without content are left out.
    pub(super) fn parse(text: &str, field: &str) -> Result<Vec<Self>, PatchError> {
        let documents = split_documents(text)
            .map_err(|error: yaml::Error| PatchError::yaml(KIND, field, error))?;
        let documents = documents.into_iter().zip(document_lines(text));
        documents
            .filter(|(document, _)| !document.is_null())
            .map(|(document, lines)| {
                let target = Target::of_patch(&document);
                let Value::Object(patch) = document else {
                    let reason = "it must be a mapping like the document that it changes";
                    return Err(PatchError::parse(KIND, field, reason));
                };
                Ok(Self {
                    field: field.to_owned(),
                    target,
                    patch,
                    lines,
                })
            })
            .collect()
    }

    pub(super) fn apply(&self, document: &mut Value) -> Result<(), PatchError> {
        if !self.target.matches(document) {
            return Ok(());
        }
        let form = match () {
            () if !text_field(document, "apiVersion").ends_with("v1beta4") => Form::Map,
            () if self.target.api_version.is_empty() => Form::ListOrMap,
            () => Form::List,
        };
        let mut patch = self.patch.clone();
        resolve_special_values(&mut patch, document, form, "").map_err(|reason| {
            PatchError::apply("patch", &self.field, text_field(document, "kind"), reason)
        })?;
        json_patch::merge(document, &Value::Object(patch));
        Ok(())
    }
}

/// Replaces the special values of a patch by what the document shall have in the end, so that an
/// ordinary merge does the rest. Does not look into lists.
fn resolve_special_values(
    patch: &mut Map<String, Value>,
    document: &Value,
    form: Form,
    path: &str,
) -> Result<(), String> {
    // Null means "remove" in a merge patch; here it means "nothing to add".
    patch.retain(|key, value| key != "certSANs" || !value.is_null());
    for (key, value) in patch {
        let path = format!("{path}{key}");
        let present = document.get(key).unwrap_or(&Value::Null);
        match key.as_str() {
            "certSANs" => add_names(value, present),
            "extraArgs" | "kubeletExtraArgs" => {
                arguments::merge_arguments(value, present, form, &path)?;
            }
            _ => {
                if let Value::Object(patch) = value {
                    resolve_special_values(patch, present, form, &format!("{path}."))?;
                }
            }
        }
    }
    Ok(())
}

/// Puts the names that are there before those of the patch.
fn add_names(patch: &mut Value, present: &Value) {
    let (Value::Array(added), Value::Array(present)) = (patch, present) else {
        return;
    };
    let mut names = present.clone();
    for name in added.drain(..) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    *added = names;
}
