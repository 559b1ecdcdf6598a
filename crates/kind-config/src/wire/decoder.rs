//! Strict decoding, with every problem collected.

use crate::yaml::tree::{Content, Entries, Tree};
use crate::yaml::{self, Problem, Scalar};
use crate::{ApiVersion, Error};

/// Reads values and keeps what is wrong with them. A value with a problem reads as unset.
pub(crate) struct Decoder {
    pub(super) version: ApiVersion,
    pub(super) problems: Vec<Problem>,
    words: Vec<UnknownChoice>,
}

/// A word that is none of its field's choices.
struct UnknownChoice {
    kind: &'static str,
    value: String,
    line: usize,
    choices: &'static [&'static str],
}

impl UnknownChoice {
    fn into_error(self) -> Error {
        Error::Word {
            kind: self.kind,
            value: self.value,
            line: self.line,
            choices: self.choices,
        }
    }

    fn into_problem(self) -> Problem {
        let hint = format!("use one of {}", self.choices.join(", "));
        Problem::new(
            self.line,
            format!("Unknown {}: {:?}", self.kind, self.value),
        )
        .with_hint(Some(hint))
    }
}

impl Decoder {
    /// A decoder for documents of a version.
    pub(crate) fn new(version: ApiVersion) -> Self {
        Self {
            version,
            problems: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Everything that was wrong in the form, in the text's order.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Everything that was wrong, in the text's order; nothing if all was right. A single word that is
    /// none of its field's choices is told as kind tells it.
    pub(crate) fn into_error(mut self) -> Option<Error> {
        if self.problems.is_empty() && self.words.len() < 2 {
            return self.words.pop().map(UnknownChoice::into_error);
        }
        self.problems
            .extend(self.words.into_iter().map(UnknownChoice::into_problem));
        self.problems.sort_by_key(|problem| problem.line());
        Some(Error::Decode(yaml::Error::Content(self.problems)))
    }

    /// Notes that a value is not of the type of that name.
    pub(super) fn mismatch_of(&mut self, tree: &Tree, type_name: &str) {
        let found = describe(tree);
        self.problems.push(
            Problem::new(
                tree.line,
                format!("cannot unmarshal {found} into {type_name}"),
            )
            .with_hint(mismatch_hint(tree, type_name).map(str::to_owned)),
        );
    }

    /// The entries of a mapping without repeated keys, or `None` with the problem noted.
    pub(crate) fn entries<'a>(&mut self, tree: &'a Tree, type_name: &str) -> Option<&'a Entries> {
        let Content::Mapping(mapping) = &tree.content else {
            self.mismatch_of(tree, type_name);
            return None;
        };
        self.problems
            .extend(mapping.duplicates.iter().map(Problem::from));
        mapping.duplicates.is_empty().then_some(mapping)
    }

    /// Notes a word that is none of a field's choices.
    pub(crate) fn unknown_word(
        &mut self,
        line: usize,
        kind: &'static str,
        value: String,
        choices: &'static [&'static str],
    ) {
        self.words.push(UnknownChoice {
            kind,
            value,
            line,
            choices,
        });
    }
}

/// A value as messages name it: its YAML type and the beginning of its text.
fn describe(tree: &Tree) -> String {
    let (tag, text) = match &tree.content {
        Content::Plain(text) => (Scalar::of(text).tag(), text),
        Content::Text(text) => ("!!str", text),
        Content::Sequence(_) => return "!!seq".into(),
        Content::Mapping(_) => return "!!map".into(),
    };
    const SHOWN: usize = 10;
    if text.chars().count() > SHOWN {
        let start: String = text.chars().take(SHOWN - 3).collect();
        return format!("{tag} `{start}...`");
    }
    format!("{tag} `{text}`")
}

/// What to write instead of a value of the wrong type.
fn mismatch_hint(tree: &Tree, type_name: &str) -> Option<&'static str> {
    let has_fields = type_name.starts_with('v') && type_name.contains('.');
    match (&tree.content, type_name) {
        (Content::Text(_), "int32") => Some("write the number without quotes"),
        (_, "int32") => Some("write a whole number"),
        (_, "bool") => Some("write true or false, without quotes"),
        (Content::Mapping(_) | Content::Sequence(_), "string") => {
            Some("this is text: begin a block of lines with `|`")
        }
        (Content::Sequence(_), _) if !type_name.starts_with("[]") => {
            Some("write `key: value` without `- ` in front")
        }
        (Content::Plain(_) | Content::Text(_), _) if has_fields => {
            Some("write `key: value`, with a space after the colon")
        }
        (_, _) if type_name.starts_with("[]") => Some("this is a list: begin each item with `- `"),
        _ => None,
    }
}
