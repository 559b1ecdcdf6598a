//! Strict decoding of one value after the other, with every problem collected.
//!
//! Not serde, because serde stops at the first problem, and people mend a file in one go.

use std::collections::BTreeMap;

use crate::Error;
use crate::yaml::tree::{Content, Entries, Tree};
use crate::yaml::{Problem, Scalar};

/// Reads values and keeps what is wrong with them. A value with a problem reads as unset.
pub(crate) struct Decoder {
    problems: Vec<Problem>,
    word: Option<Error>,
    place: Place,
}

/// Tells where a field belongs that stands in the wrong place.
pub(crate) type Place = fn(&str) -> Option<&'static str>;

/// A type that a value can be read into.
pub(crate) trait Decode: Sized {
    /// Name of the type in messages.
    fn type_name() -> String;

    /// Reads a value that is not null.
    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self>;
}

/// A type whose value is a mapping with known fields.
pub(crate) trait Fields: Default {
    /// Name of the type in messages.
    const NAME: &'static str;
    /// The fields, for hints.
    const FIELDS: &'static [&'static str];

    /// Reads one field; false if there is no field of that name.
    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool;
}

impl Decoder {
    /// A decoder for documents whose fields belong in the places that `place` tells.
    pub(crate) fn new(place: Place) -> Self {
        Self {
            problems: Vec::new(),
            word: None,
            place,
        }
    }

    /// Everything that was wrong, in the text's order.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Reads a value into a place. The place stays as it is if the value is null or wrong.
    pub(crate) fn read<T: Decode>(&mut self, tree: &Tree, place: &mut T) {
        if let Some(value) = self.value(tree) {
            *place = value;
        }
    }

    /// Reads a value; `None` if it is null or wrong.
    pub(crate) fn value<T: Decode>(&mut self, tree: &Tree) -> Option<T> {
        if is_null(tree) {
            return None;
        }
        T::decode(tree, self)
    }

    /// Notes that a value is not of a type.
    pub(crate) fn mismatch(&mut self, tree: &Tree, type_name: &str) {
        let found = describe(tree);
        let hint = mismatch_hint(tree, type_name);
        self.problems.push(
            Problem::new(
                tree.line,
                format!("cannot unmarshal {found} into {type_name}"),
            )
            .with_hint(hint.map(|hint| format!("line {}: {hint}", tree.line))),
        );
    }

    /// The entries of a mapping without repeated keys, or `None` with the problem noted.
    pub(crate) fn entries<'a>(&mut self, tree: &'a Tree, type_name: &str) -> Option<&'a Entries> {
        let Content::Mapping(mapping) = &tree.content else {
            self.mismatch(tree, type_name);
            return None;
        };
        self.problems
            .extend(mapping.duplicates.iter().map(Problem::from));
        mapping.duplicates.is_empty().then_some(mapping)
    }

    /// Notes a word that is none of a field's choices; only the first one is kept.
    pub(crate) fn unknown_word(
        &mut self,
        line: usize,
        kind: &'static str,
        value: String,
        choices: &'static [&'static str],
    ) {
        self.word.get_or_insert(Error::Word {
            kind,
            value,
            line,
            choices,
        });
    }

    /// The first word that is none of its field's choices. kind reports it alone.
    pub(crate) fn take_word(&mut self) -> Option<Error> {
        self.word.take()
    }

    fn unknown_field(&mut self, line: usize, name: &str, type_name: &str, fields: &[&str]) {
        let elsewhere = (self.place)(name).map(|place| format!("`{name}` belongs in {place}"));
        let hint = elsewhere
            .or_else(|| nearest(name, fields).map(|field| format!("did you mean `{field}`?")))
            .map(|hint| format!("line {line}: {hint}"));
        self.problems.push(
            Problem::new(line, format!("field {name} not found in type {type_name}"))
                .with_hint(hint),
        );
    }
}

impl<T: Fields> Decode for T {
    fn type_name() -> String {
        T::NAME.to_owned()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        let mapping = decoder.entries(tree, T::NAME)?;
        let mut value = T::default();
        for entry in &mapping.entries {
            if !value.field(&entry.key, &entry.value, decoder) {
                decoder.unknown_field(entry.line, &entry.key, T::NAME, T::FIELDS);
            }
        }
        Some(value)
    }
}

impl Decode for String {
    fn type_name() -> String {
        "string".into()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        if let Content::Plain(text) | Content::Text(text) = &tree.content {
            return Some(text.clone());
        }
        decoder.mismatch(tree, "string");
        None
    }
}

impl Decode for bool {
    fn type_name() -> String {
        "bool".into()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        if let Content::Plain(text) = &tree.content
            && let Scalar::Bool(value) | Scalar::Word(value) = Scalar::of(text)
        {
            return Some(value);
        }
        decoder.mismatch(tree, "bool");
        None
    }
}

impl Decode for i32 {
    fn type_name() -> String {
        "int32".into()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        if let Content::Plain(text) = &tree.content
            && let Some(value) = whole_number(Scalar::of(text))
        {
            return Some(value);
        }
        decoder.mismatch(tree, "int32");
        None
    }
}

/// A number without a fraction, however it is written: `1e3` is 1000.
fn whole_number(scalar: Scalar) -> Option<i32> {
    match scalar {
        Scalar::Integer(value) => value.try_into().ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and in range"
        )]
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() <= f64::from(i32::MAX) => {
            Some(value as i32)
        }
        _ => None,
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn type_name() -> String {
        format!("[]{}", T::type_name())
    }

    /// Leaves out items that are null, as kind does.
    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        let Content::Sequence(items) = &tree.content else {
            decoder.mismatch(tree, &Self::type_name());
            return None;
        };
        Some(
            items
                .iter()
                .filter_map(|item| decoder.value(item))
                .collect(),
        )
    }
}

impl<T: Decode> Decode for Option<T> {
    fn type_name() -> String {
        T::type_name()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        T::decode(tree, decoder).map(Some)
    }
}

impl<T: Decode + Default> Decode for BTreeMap<String, T> {
    fn type_name() -> String {
        format!("map[string]{}", T::type_name())
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        let mapping = decoder.entries(tree, &Self::type_name())?;
        let mut map = Self::new();
        for entry in &mapping.entries {
            if is_null(&entry.value) {
                map.insert(entry.key.clone(), T::default());
            } else if let Some(value) = decoder.value(&entry.value) {
                map.insert(entry.key.clone(), value);
            }
        }
        Some(map)
    }
}

fn is_null(tree: &Tree) -> bool {
    matches!(&tree.content, Content::Plain(text) if Scalar::of(text) == Scalar::Null)
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
    /// What names of types with fields begin with.
    const TYPES: &str = "v1alpha4.";
    match (&tree.content, type_name) {
        (Content::Text(_), "int32") => Some("write the number without quotes"),
        (_, "bool") => Some("write true or false, without quotes"),
        (Content::Mapping(_) | Content::Sequence(_), "string") => {
            Some("this is text: begin a block of lines with `|`")
        }
        (Content::Sequence(_), _) if !type_name.starts_with("[]") => {
            Some("write `key: value` without `- ` in front")
        }
        (Content::Plain(_) | Content::Text(_), _) if type_name.starts_with(TYPES) => {
            Some("write `key: value`, with a space after the colon")
        }
        (_, _) if type_name.starts_with("[]") => Some("this is a list: begin each item with `- `"),
        _ => None,
    }
}

/// The field that was probably meant: the same letters in another case, or few typing mistakes.
fn nearest<'a>(name: &str, fields: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    fields
        .iter()
        .map(|field| (distance(&name, &field.to_lowercase()), *field))
        .filter(|(distance, field)| *distance * 3 <= field.len())
        .min()
        .map(|(_, field)| field)
}

/// Edits (insert, remove, replace a letter) that make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in right.iter().enumerate() {
            let replace = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replace.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_the_field_that_was_meant() {
        let fields = ["nodes", "networking", "featureGates"];
        assert_eq!(nearest("nodez", &fields), Some("nodes"));
        assert_eq!(nearest("Networking", &fields), Some("networking"));
        assert_eq!(nearest("feature_gates", &fields), Some("featureGates"));
        assert_eq!(nearest("bogus", &fields), None);
    }
}
