//! Configurations as text: one table of fields for each type says how its fields are read, how they
//! are written, and what a JSON schema says of them.
//!
//! Not serde, because serde stops at the first problem, and people mend a file in one go.

mod basic;
mod decoder;
mod encoder;
mod header;
mod place;
mod schema;
mod tables;
mod words;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub(crate) use header::Header;
pub(crate) use schema::Schemas;

use serde_json::Value as Json;

use crate::ApiVersion;
use crate::yaml::Value;
use crate::yaml::tree::Tree;

/// A type whose values stand in configurations.
pub(crate) trait Wire: Sized + 'static {
    /// Name of the type in messages.
    fn type_name(version: ApiVersion) -> String;

    /// Reads a value that is not null.
    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self>;

    /// True if nothing need be written for the value.
    fn is_unset(&self) -> bool;

    /// True if nothing can be said of the value: no text, no items.
    fn is_empty(&self) -> bool {
        false
    }

    /// Writes the value.
    fn encode(&self, encoder: &mut Encoder) -> Value;

    /// What a JSON schema says of the type.
    fn schema(schemas: &mut Schemas) -> Json;
}

/// A type whose value is a mapping with known fields.
pub(crate) trait Fields: Default + PartialEq + 'static {
    /// Name of the type in messages, without its version.
    const NAME: &'static str;
    /// What the type is.
    const ABOUT: &'static str;
    /// Fields that say what the document is; they are not values of the type.
    const HEADER: &'static [&'static str] = &[];
    /// The fields in the order in which they are written for people.
    const FIELDS: &'static [Field<Self>];
}

/// One field of a type.
pub(crate) struct Field<T> {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is, in a sentence.
    pub(crate) about: &'static str,
    /// The first version that has it.
    pub(crate) since: ApiVersion,
    /// Reads it.
    pub(crate) read: fn(&mut T, &Tree, &mut Decoder),
    /// True if it holds nothing that need be written.
    pub(crate) is_unset: fn(&T) -> bool,
    /// Writes it, if there is something to write.
    pub(crate) write: fn(&T, &mut Encoder) -> Option<Value>,
    /// What a JSON schema says of its type.
    pub(crate) schema: fn(&mut Schemas) -> Json,
    /// What a JSON schema says of it beside that.
    pub(crate) limits: fn() -> Json,
}
