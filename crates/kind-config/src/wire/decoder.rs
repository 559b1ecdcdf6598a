//! Strict decoding, with every problem collected.

use super::{Field, Fields, Wire, place};
use crate::nearest::nearest;
use crate::yaml::tree::{Content, Entries, Tree};
use crate::yaml::{self, Problem, Scalar};
use crate::{ApiVersion, Error};

/// Reads values and keeps what is wrong with them. A value with a problem reads as unset.
pub(crate) struct Decoder {
    version: ApiVersion,
    problems: Vec<Problem>,
    words: Vec<Word>,
}

/// A word that is none of its field's choices.
struct Word {
    kind: &'static str,
    value: String,
    line: usize,
    choices: &'static [&'static str],
}

impl Word {
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
            return self.words.pop().map(Word::into_error);
        }
        self.problems
            .extend(self.words.into_iter().map(Word::into_problem));
        self.problems.sort_by_key(|problem| problem.line());
        Some(Error::Decode(yaml::Error::Content(self.problems)))
    }

    /// Reads a value into a place. The place stays as it is if the value is null or wrong.
    pub(crate) fn read<T: Wire>(&mut self, tree: &Tree, place: &mut T) {
        if let Some(value) = self.value(tree) {
            *place = value;
        }
    }

    /// Reads a value; `None` if it is null or wrong.
    pub(crate) fn value<T: Wire>(&mut self, tree: &Tree) -> Option<T> {
        if tree.is_null() {
            return None;
        }
        T::decode(tree, self)
    }

    /// Notes that a value is not of a type.
    pub(crate) fn mismatch<T: Wire>(&mut self, tree: &Tree) {
        self.mismatch_of(tree, &T::type_name(self.version));
    }

    fn mismatch_of(&mut self, tree: &Tree, type_name: &str) {
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

    /// The entries of a map whose keys are the user's.
    pub(crate) fn entries_of<'a, T: Wire>(&mut self, tree: &'a Tree) -> Option<&'a Entries> {
        self.entries(tree, &T::type_name(self.version))
    }

    /// Notes a word that is none of a field's choices.
    pub(crate) fn unknown_word(
        &mut self,
        line: usize,
        kind: &'static str,
        value: String,
        choices: &'static [&'static str],
    ) {
        self.words.push(Word {
            kind,
            value,
            line,
            choices,
        });
    }

    /// Reads the fields of a type.
    fn fields<T: Fields>(&mut self, tree: &Tree) -> Option<T> {
        let mapping = self.entries(tree, &type_name::<T>(self.version))?;
        let mut value = T::default();
        for entry in &mapping.entries {
            if T::HEADER.contains(&entry.key.as_str()) {
                continue;
            }
            match T::FIELDS.iter().find(|field| field.name == entry.key) {
                Some(field) if field.since <= self.version => {
                    (field.read)(&mut value, &entry.value, self);
                }
                later => self.unknown_field::<T>(entry.line, &entry.key, later),
            }
        }
        Some(value)
    }

    fn unknown_field<T: Fields>(&mut self, line: usize, name: &str, later: Option<&Field<T>>) {
        let known = T::FIELDS
            .iter()
            .filter(|field| field.since <= self.version)
            .map(|field| field.name)
            .chain(T::HEADER.iter().copied());
        let hint = later
            .map(|field| format!("`{name}` needs `apiVersion: {}`", field.since))
            .or_else(|| {
                place::of(name, self.version).map(|place| format!("`{name}` belongs in {place}"))
            })
            .or_else(|| nearest(name, known).map(|field| format!("did you mean `{field}`?")));
        let type_name = type_name::<T>(self.version);
        self.problems.push(
            Problem::new(line, format!("field {name} not found in type {type_name}"))
                .with_hint(hint),
        );
    }
}

fn type_name<T: Fields>(version: ApiVersion) -> String {
    format!("{}.{}", version.short(), T::NAME)
}

impl<T: Fields> Wire for T {
    fn type_name(version: ApiVersion) -> String {
        type_name::<T>(version)
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        decoder.fields(tree)
    }

    fn is_unset(&self) -> bool {
        *self == Self::default()
    }

    fn encode(&self, encoder: &mut super::Encoder) -> yaml::Value {
        encoder.fields(self).into()
    }

    fn schema(schemas: &mut super::Schemas) -> serde_json::Value {
        schemas.reference::<T>()
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
