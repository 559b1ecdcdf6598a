//! A patch of either kind, as far as its effect is judged.

use std::collections::BTreeSet;

use kind_config::{JsonPatch, Source, yaml};
use serde_json::{Map, Value};

use crate::patch::matching::Target;
use crate::patch::merge::MergePatch;

/// Fields of a merge patch that say what it is for, and change nothing.
pub(super) const HEADER: [&str; 3] = ["kind", "apiVersion", "metadata"];

pub(super) struct Candidate {
    pub(super) field: String,
    pub(super) target: Target,
    pub(super) content: Content,
}

/// What a patch would change.
pub(super) enum Content {
    /// A merge patch's fields, and its lines: how many are before them in the text, and they themselves.
    Merge {
        patch: Map<String, Value>,
        lines: (usize, String),
    },
    /// The operations of a JSON patch.
    Operations(Option<Vec<Value>>),
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
            target: patch.target,
            content: Content::Merge {
                patch: patch.patch,
                lines: patch.lines,
            },
        });
        candidates.collect()
    }

    pub(super) fn of_operations(patch: &JsonPatch, field: String) -> Option<Self> {
        let operations = yaml::parse_last_wins(&patch.patch).ok()?;
        if operations.is_null() {
            return Some(Self::empty(&field));
        }
        operations.as_sequence()?;
        let operations = operations.to_json();
        Some(Self {
            field,
            target: Target::of_operations(patch),
            content: Content::Operations(operations.as_array().cloned()),
        })
    }

    fn empty(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            target: Target::of_patch(&Value::Null),
            content: Content::Operations(None),
        }
    }

    /// Whether there is anything that it would change.
    pub(super) fn has_content(&self) -> bool {
        match &self.content {
            Content::Merge { patch, .. } => patch.keys().any(|key| !HEADER.contains(&key.as_str())),
            Content::Operations(operations) => {
                operations.as_ref().is_some_and(|list| !list.is_empty())
            }
        }
    }

    /// The fields at the top of a document that it would change.
    pub(super) fn changed_fields(&self) -> BTreeSet<&str> {
        match &self.content {
            Content::Merge { patch, .. } => {
                let keys = patch.keys().map(String::as_str);
                keys.filter(|key| !HEADER.contains(key)).collect()
            }
            Content::Operations(operations) => {
                let operations = operations.iter().flatten();
                let paths = operations.filter_map(|operation| operation.get("path")?.as_str());
                paths.filter_map(|path| path.split('/').nth(1)).collect()
            }
        }
    }

    /// Whether nothing stands in it at all.
    pub(super) fn is_empty(&self) -> bool {
        match &self.content {
            Content::Merge { patch, .. } => patch.is_empty(),
            Content::Operations(_) => !self.has_content(),
        }
    }

    /// A merge patch's value at a path.
    pub(super) fn value(&self, path: &[&str]) -> Option<&Value> {
        let Content::Merge { patch, .. } = &self.content else {
            return None;
        };
        let (first, rest) = path.split_first()?;
        let value = patch.get(*first)?;
        rest.iter().try_fold(value, |value, key| value.get(*key))
    }

    /// Keys that stand twice, each with the line of the later one.
    pub(super) fn repeated_keys(&self) -> Vec<(usize, String)> {
        let Content::Merge {
            lines: (before, text),
            ..
        } = &self.content
        else {
            return Vec::new();
        };
        let repeated = yaml::repeated_keys(text).into_iter();
        repeated
            .map(|problem| (before + problem.line(), problem.message().to_owned()))
            .collect()
    }

    /// The line of the whole text, from 1, where a merge patch has a field.
    pub(super) fn line_of(&self, place: &str) -> Option<usize> {
        let Content::Merge {
            lines: (before, text),
            ..
        } = &self.content
        else {
            return None;
        };
        let line = Source::new("", text.as_str()).line_of(place)?;
        Some(before + line)
    }
}
