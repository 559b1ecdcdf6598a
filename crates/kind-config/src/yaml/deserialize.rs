//! Values to the types of serde.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use super::{Error, Scalar, Value, parse};

/// Reads the first document of a text into a type.
///
/// A text field takes the source text of any scalar, so `token: 012345` stays `012345`.
///
/// # Errors
/// The text is not YAML or does not fit the type.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_value(&parse(text)?)
}

/// Reads a value into a type.
///
/// # Errors
/// The value does not fit the type.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(value)
}

impl serde::de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Type(message.to_string())
    }
}

impl<'de> IntoDeserializer<'de, Error> for &'de Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Plain(text) => match Scalar::of(text) {
                Scalar::Null => visitor.visit_unit(),
                Scalar::Bool(value) | Scalar::Legacy11Bool(value) => visitor.visit_bool(value),
                Scalar::Integer(value) => visit_integer(value, visitor),
                Scalar::Float(value) => visitor.visit_f64(value),
                Scalar::Timestamp | Scalar::Text => visitor.visit_borrowed_str(text),
            },
            Value::Sequence(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            Value::Mapping(mapping) => visitor.visit_map(MapDeserializer::new(mapping.iter())),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.as_str() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match (self.as_str(), self.as_mapping()) {
            (Some(text), _) => visitor.visit_enum(text.into_deserializer()),
            (_, Some(mapping)) if mapping.len() == 1 => visitor.visit_enum(
                serde::de::value::MapAccessDeserializer::new(MapDeserializer::new(mapping.iter())),
            ),
            _ => Err(serde::de::Error::custom(format_args!(
                "{name} must be one of {}",
                variants.join(", ")
            ))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn visit_integer<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, Error> {
    if let Ok(value) = u64::try_from(value) {
        visitor.visit_u64(value)
    } else if let Ok(value) = i64::try_from(value) {
        visitor.visit_i64(value)
    } else {
        visitor.visit_i128(value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        token: String,
        count: u16,
        on: bool,
        #[serde(default)]
        list: Vec<Option<String>>,
        #[serde(default)]
        choice: Option<Choice>,
        #[serde(default)]
        map: BTreeMap<String, f64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Choice {
        Plain,
        Wrapped(i32),
    }

    #[test]
    fn text_fields_keep_the_source() {
        let text = "token: 012345\ncount: 0x10\non: yes\nlist: [1.0, ~, x]\nchoice: {Wrapped: -1}\nmap: {a: 1}\n";
        assert_eq!(
            from_str::<Sample>(text).unwrap(),
            Sample {
                token: "012345".into(),
                count: 16,
                on: true,
                list: vec![Some("1.0".into()), None, Some("x".into())],
                choice: Some(Choice::Wrapped(-1)),
                map: BTreeMap::from([("a".into(), 1.0)]),
            }
        );
        let choice: Choice = from_str("Plain").unwrap();
        assert_eq!(choice, Choice::Plain);
    }

    #[test]
    fn misfits_are_errors() {
        for text in [
            "token: a\n",
            "[]",
            "token: []\ncount: 1\non: true\n",
            "token: a\ncount: x\non: true\n",
        ] {
            assert!(from_str::<Sample>(text).is_err(), "{text}");
        }
        let error = from_str::<Sample>("tokn: a\n").unwrap_err().to_string();
        assert!(error.contains("unknown field `tokn`"), "{error}");
    }
}
