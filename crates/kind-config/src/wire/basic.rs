//! Text, numbers, truth values, lists and maps.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{Decoder, Encoder, Schemas, Wire};
use crate::ApiVersion;
use crate::yaml::tree::{Content, Tree};
use crate::yaml::{Mapping, Scalar, Value};

impl Wire for String {
    fn type_name(_: ApiVersion) -> String {
        "string".into()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        if let Content::Plain(text) | Content::Text(text) = &tree.content {
            return Some(text.clone());
        }
        decoder.mismatch::<Self>(tree);
        None
    }

    fn is_unset(&self) -> bool {
        self.is_empty()
    }

    fn is_empty(&self) -> bool {
        String::is_empty(self)
    }

    fn encode(&self, _: &mut Encoder) -> Value {
        self.as_str().into()
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": ["string", "number", "boolean", "null"] })
    }
}

impl Wire for bool {
    fn type_name(_: ApiVersion) -> String {
        "bool".into()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        if let Content::Plain(text) = &tree.content
            && let Scalar::Bool(value) | Scalar::Legacy11Bool(value) = Scalar::of(text)
        {
            return Some(value);
        }
        decoder.mismatch::<Self>(tree);
        None
    }

    fn is_unset(&self) -> bool {
        !self
    }

    fn encode(&self, _: &mut Encoder) -> Value {
        (*self).into()
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": ["boolean", "null"] })
    }
}

impl Wire for i32 {
    fn type_name(_: ApiVersion) -> String {
        "int32".into()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        if let Content::Plain(text) = &tree.content
            && let Some(value) = whole_number(Scalar::of(text))
        {
            return Some(value);
        }
        decoder.mismatch::<Self>(tree);
        None
    }

    fn is_unset(&self) -> bool {
        *self == 0
    }

    fn encode(&self, _: &mut Encoder) -> Value {
        i64::from(*self).into()
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": ["integer", "null"] })
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

impl<T: Wire> Wire for Vec<T> {
    fn type_name(version: ApiVersion) -> String {
        format!("[]{}", T::type_name(version))
    }

    /// Leaves out items that are null, as kind does.
    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        let Content::Sequence(items) = &tree.content else {
            decoder.mismatch::<Self>(tree);
            return None;
        };
        Some(
            items
                .iter()
                .filter_map(|item| decoder.value(item))
                .collect(),
        )
    }

    fn is_unset(&self) -> bool {
        self.is_empty()
    }

    fn is_empty(&self) -> bool {
        Vec::is_empty(self)
    }

    fn encode(&self, encoder: &mut Encoder) -> Value {
        let items = self.iter().enumerate();
        items
            .map(|(index, item)| encoder.item(index, item))
            .collect::<Vec<_>>()
            .into()
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": ["array", "null"], "items": T::schema(schemas) })
    }
}

impl<T: Wire> Wire for Option<T> {
    fn type_name(version: ApiVersion) -> String {
        T::type_name(version)
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        T::decode(tree, decoder).map(Some)
    }

    fn is_unset(&self) -> bool {
        self.is_none()
    }

    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn encode(&self, encoder: &mut Encoder) -> Value {
        match self {
            Some(value) => value.encode(encoder),
            None => Value::null(),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        T::schema(schemas)
    }
}

impl<T: Wire + Default> Wire for BTreeMap<String, T> {
    fn type_name(version: ApiVersion) -> String {
        format!("map[string]{}", T::type_name(version))
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        let mapping = decoder.entries_of::<Self>(tree)?;
        let mut map = Self::new();
        for entry in &mapping.entries {
            if entry.value.is_null() {
                map.insert(entry.key.clone(), T::default());
            } else if let Some(value) = decoder.value(&entry.value) {
                map.insert(entry.key.clone(), value);
            }
        }
        Some(map)
    }

    fn is_unset(&self) -> bool {
        self.is_empty()
    }

    fn is_empty(&self) -> bool {
        BTreeMap::is_empty(self)
    }

    fn encode(&self, encoder: &mut Encoder) -> Value {
        let entries = self.iter();
        entries
            .map(|(key, value)| (key.clone(), value.encode(encoder)))
            .collect::<Mapping>()
            .into()
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": ["object", "null"], "additionalProperties": T::schema(schemas) })
    }
}
