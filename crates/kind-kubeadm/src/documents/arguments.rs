//! Extra arguments of a component.

use serde_json::{Value, json};

use crate::Api;

/// Extra arguments in their order.
#[derive(Default)]
pub(super) struct Arguments(Vec<(&'static str, String)>);

impl Arguments {
    /// Adds an argument.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds an argument if it has a value.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The form that an API version wants; null if there are none.
    pub(super) fn into_json(self, api: Api) -> Value {
        if self.0.is_empty() {
            Value::Null
        } else if api.has_argument_lists() {
            self.0
                .into_iter()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect()
        } else {
            self.0
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::String(value)))
                .collect()
        }
    }
}
