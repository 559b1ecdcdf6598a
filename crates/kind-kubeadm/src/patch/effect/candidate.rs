//! A patch of either kind, as far as its effect is judged.

use kind_config::{JsonPatch, yaml};
use serde_json::{Map, Value};

use crate::patch::matching::Target;
use crate::patch::merge::MergePatch;

/// Fields of a merge patch that say what it is for, and change nothing.
const HEADER: [&str; 3] = ["kind", "apiVersion", "metadata"];

pub(super) struct Candidate {
    pub(super) field: String,
    pub(super) target: Target,
    /// Whether there is anything that it would change.
    pub(super) has_content: bool,
    /// A merge patch's own fields.
    pub(super) patch: Map<String, Value>,
}

impl Candidate {
    /// The patches of one text. One without content stands for itself.
    pub(super) fn of_merge(text: &str, field: &str) -> Vec<Self> {
        let Ok(patches) = MergePatch::parse(text, field) else {
            return Vec::new();
        };
        if patches.is_empty() {
            return vec![Self::empty(field)];
        }
        let candidates = patches.into_iter().map(|patch| Self {
            field: field.to_owned(),
            has_content: patch
                .patch
                .keys()
                .any(|key| !HEADER.contains(&key.as_str())),
            target: patch.target,
            patch: patch.patch,
        });
        candidates.collect()
    }

    pub(super) fn of_operations(patch: &JsonPatch, field: String) -> Option<Self> {
        let operations = yaml::parse(&patch.patch).ok()?;
        Some(Self {
            field,
            target: Target::of_operations(patch),
            has_content: !operations.as_sequence()?.is_empty(),
            patch: Map::new(),
        })
    }

    fn empty(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            target: Target::of_patch(&Value::Null),
            has_content: false,
            patch: Map::new(),
        }
    }
}
