//! Comments of a TOML file, kept by the place of what they are about.

use std::collections::BTreeMap;

use toml_edit::{Decor, DocumentMut, Item, RawString, Table, Value};

/// Comments by the keys that lead to a value or a table.
#[derive(Debug, Default)]
pub(super) struct Comments {
    /// What stands at the top, set off by a blank line.
    pub(super) head: Vec<String>,
    by_path: BTreeMap<Vec<String>, Comment>,
}

/// The comments of one value or table.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    /// Lines in front.
    pub(super) before: Vec<String>,
    /// What follows on the same line.
    pub(super) beside: Option<String>,
}

impl Comments {
    /// Collects the comments of a document. Those inside of lists and at the end are left out.
    pub(super) fn collect_comments(document: &DocumentMut) -> Self {
        let mut comments = Self::default();
        comments.collect(document.as_table(), &mut Vec::new());
        comments.head = comments.take_head(document);
        comments
    }

    /// The comments of a place.
    pub(super) fn comment_at(&self, path: &[&str]) -> Option<&Comment> {
        // The paths are few, and most files have no comments at all.
        self.by_path
            .iter()
            .find(|(known, _)| known.iter().map(String::as_str).eq(path.iter().copied()))
            .map(|(_, comment)| comment)
    }

    fn collect(&mut self, table: &Table, path: &mut Vec<String>) {
        for (key, item) in table.iter() {
            path.push(key.to_owned());
            match item {
                Item::Value(value) => {
                    let before = table
                        .key(key)
                        .map(|key| comment_lines(key.leaf_decor().prefix()));
                    self.note(path, before.unwrap_or_default(), suffix_comment(value));
                }
                Item::Table(inner) => {
                    if !inner.is_implicit() {
                        let decor = inner.decor();
                        self.note(path, comment_lines(decor.prefix()), beside(decor));
                    }
                    self.collect(inner, path);
                }
                Item::None | Item::ArrayOfTables(_) => {}
            }
            path.pop();
        }
    }

    fn note(&mut self, path: &[String], before: Vec<String>, beside: Option<String>) {
        if !before.is_empty() || beside.is_some() {
            self.by_path
                .insert(path.to_vec(), Comment { before, beside });
        }
    }

    /// Takes what stands above the first blank line away from what follows it.
    fn take_head(&mut self, document: &DocumentMut) -> Vec<String> {
        let text = document.to_string();
        let top: Vec<&str> = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect();
        let is_head = text
            .lines()
            .nth(top.len())
            .is_some_and(|line| line.trim().is_empty());
        if top.is_empty() || !is_head {
            return Vec::new();
        }
        let head: Vec<String> = top.into_iter().map(str::to_owned).collect();
        let holder = self
            .by_path
            .values_mut()
            .find(|comment| comment.before.starts_with(&head));
        match holder {
            Some(comment) => {
                comment.before.drain(..head.len());
                head
            }
            None => Vec::new(),
        }
    }
}

/// The comments among the lines of a decoration.
fn comment_lines(decor: Option<&RawString>) -> Vec<String> {
    let text = decor.and_then(RawString::as_str).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn suffix_comment(value: &Value) -> Option<String> {
    beside(value.decor())
}

fn beside(decor: &Decor) -> Option<String> {
    comment_lines(decor.suffix()).into_iter().next()
}
