//! What a parsed command line says.

use std::collections::BTreeMap;
use std::time::Duration;

/// Values of flags and positional arguments. Flags are asked for by the names in the command's table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matches {
    pub(super) values: BTreeMap<&'static str, Value>,
    /// What stands beside the flags.
    pub(crate) positionals: Vec<String>,
}

/// A checked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Of a switch.
    Bool(bool),
    /// Of a number.
    Int32(i32),
    /// Of a text.
    String(String),
    /// Of a duration, in nanoseconds, possibly negative.
    Duration(i64),
    /// Of a list.
    Strings(Vec<String>),
}

impl Matches {
    /// No flags, only positional arguments.
    pub(crate) fn of_positionals(positionals: Vec<String>) -> Self {
        Self {
            positionals,
            ..Self::default()
        }
    }

    /// A switch; false when not given.
    pub(crate) fn switch(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Bool(true)))
    }

    /// A number, if given.
    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        match self.values.get(name) {
            Some(Value::Int32(value)) => Some(*value),
            _ => None,
        }
    }

    /// A text, if given; an empty text counts as given.
    pub(crate) fn text_flag(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Value::String(value)) => Some(value),
            _ => None,
        }
    }

    /// A text that is given and not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.text_flag(name).filter(|text| !text.is_empty())
    }

    /// A duration, if given and not zero; a negative one is zero.
    pub(crate) fn wait_flag(&self, name: &str) -> Option<Duration> {
        match self.values.get(name) {
            Some(Value::Duration(0)) | None => None,
            Some(Value::Duration(nanos)) => {
                Some(Duration::from_nanos(u64::try_from(*nanos).unwrap_or(0)))
            }
            Some(_) => None,
        }
    }

    /// A list; empty when not given.
    pub(crate) fn list_flag(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(Value::Strings(values)) => values,
            _ => &[],
        }
    }
}
