//! Reading values of types by what they say of themselves.

use super::decoder::Decoder;
use super::field::{Field, Fields, Wire};
use super::place;
use crate::ApiVersion;
use crate::nearest::nearest_word;
use crate::yaml::Problem;
use crate::yaml::tree::{Entries, Tree};

impl Decoder {
    /// Reads a value into a place. The place stays as it is if the value is null or wrong.
    pub(crate) fn read_value<T: Wire>(&mut self, tree: &Tree, place: &mut T) {
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

    /// The entries of a map whose keys are the user's.
    pub(crate) fn entries_of<'a, T: Wire>(&mut self, tree: &'a Tree) -> Option<&'a Entries> {
        self.entries(tree, &T::type_name(self.version))
    }

    /// Reads the fields of a type.
    pub(super) fn fields<T: Fields>(&mut self, tree: &Tree) -> Option<T> {
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
                place::field_path(name, self.version)
                    .map(|place| format!("`{name}` belongs in {place}"))
            })
            .or_else(|| nearest_word(name, known).map(|field| format!("did you mean `{field}`?")));
        let type_name = type_name::<T>(self.version);
        self.problems.push(
            Problem::new(line, format!("field {name} not found in type {type_name}"))
                .with_hint(hint),
        );
    }
}

/// Name of a type in messages.
pub(super) fn type_name<T: Fields>(version: ApiVersion) -> String {
    format!("{}.{}", version.short(), T::NAME)
}
