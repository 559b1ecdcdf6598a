//! A configuration's text with its name: where people look when something is wrong with it.

use crate::error::{FieldError, choice_hint};
use crate::model::Cluster;
use crate::yaml::Problem;
use crate::yaml::tree::{self, Content, Tree};
use crate::{ApiVersion, Error, reading};

/// A configuration's text and what people call it, mostly the path of its file.
///
/// ```
/// let source = kind_config::Source::new("kind.yaml", "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodez: []\n");
/// let error = source.parse().unwrap_err();
/// assert_eq!(
///     source.explain(&error),
///     ["kind.yaml:3: field nodez not found in type v1alpha4.Cluster: did you mean `nodes`?\n  3 | nodez: []"]
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Text of that name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads the configuration, as [`Cluster::parse`] does.
    ///
    /// # Errors
    /// As [`Cluster::parse`].
    pub fn parse(&self) -> Result<Cluster, Error> {
        Cluster::parse(&self.text)
    }

    /// The version that the text says it is of.
    ///
    /// # Errors
    /// The text is no YAML, or of an unknown version or kind.
    pub fn version(&self) -> Result<ApiVersion, Error> {
        match tree::first_document(&self.text).map_err(Error::Header)? {
            Some(tree) => reading::read_version(&tree),
            None => Err(Error::ApiVersion(String::new())),
        }
    }

    /// Every problem of an error with its place, its line and what to do: one text for each.
    pub fn explain(&self, error: &Error) -> Vec<String> {
        match error {
            Error::Header(inner) | Error::Decode(inner) => inner
                .problems()
                .iter()
                .map(|problem| self.problem(problem))
                .collect(),
            Error::Word {
                kind,
                value,
                line,
                choices,
            } => {
                let what = format!("unknown {kind} {value:?}: {}", choice_hint(value, choices));
                vec![self.at_line(*line, &what)]
            }
            Error::Invalid(findings) => {
                let field_errors = findings.iter().flat_map(|finding| finding.field_errors());
                field_errors
                    .map(|field_error| self.field_error(field_error))
                    .collect()
            }
            Error::Unsupported { unsupported, .. } => unsupported
                .iter()
                .map(|(path, since)| {
                    self.at_field(path, &format!("`{path}` needs `apiVersion: {since}`"))
                })
                .collect(),
            Error::ApiVersion(_) => self.header("apiVersion", error),
            Error::Kind { .. } => self.header("kind", error),
        }
    }

    /// A field's place and line before some words; only the name where the field is not in the text.
    pub fn at_field(&self, path: &str, what: &str) -> String {
        match self.line_of(path) {
            Some(line) => self.at_line(line, what),
            None => format!("{}: {what}", self.name),
        }
    }

    /// A line of the text before some words.
    pub fn at_line(&self, line: usize, what: &str) -> String {
        let text = self.text.lines().nth(line.saturating_sub(1));
        let shown = text.map_or(String::new(), |text| {
            format!("\n  {line} | {}", text.trim_end())
        });
        format!("{}:{line}: {what}{shown}", self.name)
    }

    /// The line, from 1, where a field stands, for example `nodes[0].image`. A block of text
    /// (`|`) may be followed by a line in it: `kubeadmConfigPatches[0]:3` is its third line.
    pub fn line_of(&self, path: &str) -> Option<usize> {
        let (path, inner) = match path.rsplit_once(':') {
            Some((path, line)) => (path, line.parse::<usize>().ok()),
            None => (path, None),
        };
        let tree = tree::first_document(&self.text).ok()??;
        let (line, found) = find_field(&tree, path)?;
        let is_block = self.is_block_header(found.line);
        Some(match inner {
            Some(inner) if is_block => found.line + inner,
            _ => line,
        })
    }

    fn is_block_header(&self, line: usize) -> bool {
        let text = self.text.lines().nth(line.saturating_sub(1));
        text.is_some_and(|text| {
            let text = text.split(" #").next().unwrap_or(text).trim_end();
            let text = text.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
            text.ends_with('|')
        })
    }

    fn problem(&self, problem: &Problem) -> String {
        let what = match problem.hint() {
            Some(hint) => format!("{}: {hint}", problem.message()),
            None => problem.message().to_owned(),
        };
        self.at_line(problem.line(), &what)
    }

    fn field_error(&self, field_error: &FieldError) -> String {
        let what = match &field_error.hint {
            Some(hint) => format!("{}: {hint}", field_error.message),
            None => field_error.message.clone(),
        };
        self.at_field(&field_error.path, &what)
    }

    fn header(&self, field: &str, error: &Error) -> Vec<String> {
        let hints = error.hints().into_iter();
        hints.map(|hint| self.at_field(field, &hint)).collect()
    }
}

/// The line of a field and its value. Items that are null do not count, as in decoding.
fn find_field<'a>(tree: &'a Tree, path: &str) -> Option<(usize, &'a Tree)> {
    let mut found = (tree.line, tree);
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        found = match (&found.1.content, step.strip_suffix(']')) {
            (Content::Sequence(items), Some(index)) => {
                let mut items = items.iter().filter(|item| !item.is_null());
                let item = items.nth(index.parse().ok()?)?;
                (item.line, item)
            }
            (Content::Mapping(entries), None) => {
                // A field that is not there is looked for where it would be.
                let entry = entries.entries.iter().find(|entry| entry.key == step);
                match entry {
                    Some(entry) => (entry.line, &entry.value),
                    None => return Some(found),
                }
            }
            _ => return Some(found),
        };
    }
    Some(found)
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
