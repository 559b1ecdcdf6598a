//! What a type says of itself: a value as a whole, or one table of its fields.

use serde_json::Value as Json;

use super::decoder::Decoder;
use super::encoder::Encoder;
use super::schema::Schemas;
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
