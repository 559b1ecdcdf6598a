//! A YAML document as data.

use super::Scalar;
use super::tree::{Content, Tree};

/// A YAML value that keeps what its source said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// An unquoted scalar that is more than text: null, a truth value, a number, a date. Keeps its
    /// source text; [`Scalar::of`] tells what it means.
    Plain(String),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    Sequence(Vec<Value>),
    /// Keys and values.
    Mapping(Mapping),
}

impl Value {
    /// The null value.
    pub fn null() -> Self {
        Self::Plain("null".into())
    }

    /// True for `null`, `~` and nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Plain(text) if Scalar::of(text) == Scalar::Null)
    }

    /// The text of a scalar as it stands in the source, whatever its type; `None` for null, lists
    /// and mappings.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Plain(text) if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// A truth value, YAML 1.1's words for it included.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Plain(text) => match Scalar::of(text) {
                Scalar::Bool(value) | Scalar::Legacy11Bool(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// A whole number.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Plain(text) => match Scalar::of(text) {
                Scalar::Integer(value) => value.try_into().ok(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_sequence(&self) -> Option<&[Value]> {
        match self {
            Self::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a list, to change them.
    pub fn as_sequence_mut(&mut self) -> Option<&mut Vec<Value>> {
        match self {
            Self::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The mapping.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match self {
            Self::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The mapping, to change it.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match self {
            Self::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The value of a key; `None` where there is no such key, or no mapping.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_mapping()?.get(key)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.as_mapping_mut()?.get_mut(key)
    }

    /// The JSON form: what Kubernetes' tools make of the value. Dates become text, numbers without
    /// a fraction become whole numbers, infinities become null.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => serde_json::Value::String(text.clone()),
            Self::Plain(text) => scalar_to_json(text),
            Self::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Self::Mapping(mapping) => mapping
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_json()))
                .collect(),
        }
    }
}

fn scalar_to_json(text: &str) -> serde_json::Value {
    match Scalar::of(text) {
        Scalar::Null => serde_json::Value::Null,
        Scalar::Bool(value) | Scalar::Legacy11Bool(value) => value.into(),
        Scalar::Integer(value) => integer_to_json(value),
        Scalar::Float(value) => float_to_json(value),
        Scalar::Timestamp | Scalar::Text => text.into(),
    }
}

fn integer_to_json(value: i128) -> serde_json::Value {
    if let Ok(value) = i64::try_from(value) {
        return value.into();
    }
    match u64::try_from(value) {
        Ok(value) => value.into(),
        #[expect(
            clippy::cast_precision_loss,
            reason = "JSON has no wider whole numbers"
        )]
        Err(_) => (value as f64).into(),
    }
}

fn float_to_json(value: f64) -> serde_json::Value {
    /// Whole numbers up to here are exact in a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and in range"
        )]
        return (value as i64).into();
    }
    value.into()
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::null(),
            serde_json::Value::Bool(value) => value.into(),
            serde_json::Value::Number(number) => Self::Plain(number.to_string()),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(items) => {
                Self::Sequence(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(map) => Self::Mapping(Mapping::from_distinct(
                map.into_iter().map(|(key, value)| (key, Self::from(value))),
            )),
        }
    }
}

impl From<Tree> for Value {
    fn from(tree: Tree) -> Self {
        match tree.content {
            Content::Plain(text) if Scalar::of(&text) == Scalar::Text => Self::Text(text),
            Content::Plain(text) => Self::Plain(text),
            Content::Text(text) => Self::Text(text),
            Content::Sequence(items) => Self::Sequence(items.into_iter().map(Self::from).collect()),
            Content::Mapping(mapping) => Self::Mapping(Mapping::from_distinct(
                mapping
                    .entries
                    .into_iter()
                    .map(|entry| (entry.key, Self::from(entry.value))),
            )),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Plain(value.to_string())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Plain(value.to_string())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Sequence(items)
    }
}

impl From<Mapping> for Value {
    fn from(mapping: Mapping) -> Self {
        Self::Mapping(mapping)
    }
}

/// Keys and values in the order of their source; a key stands once. Keys are text: `1: a` and
/// `"1": a` are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    entries: Vec<(String, Value)>,
}

impl Mapping {
    /// A mapping without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.entries
            .iter_mut()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// Sets a key and returns the value it had.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.get_mut(&key) {
            Some(present) => Some(std::mem::replace(present, value)),
            None => {
                self.entries.push((key, value));
                None
            }
        }
    }

    /// Removes a key and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.entries.iter().position(|(name, _)| name == key)?;
        Some(self.entries.remove(index).1)
    }

    /// Entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Entries whose keys are known to differ.
    fn from_distinct(entries: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self {
            entries: entries.into_iter().collect(),
        }
    }

    /// True if there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

impl FromIterator<(String, Value)> for Mapping {
    /// Collects entries; of several with one key the last counts.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        let mut mapping = Self::new();
        for (key, value) in entries {
            mapping.insert(key, value);
        }
        mapping
    }
}
