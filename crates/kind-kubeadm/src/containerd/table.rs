//! TOML text as JSON.

use serde_json::{Value, json};
use toml_edit::{DocumentMut, Item, TableLike};

use super::comments::Comments;

/// Why text is not TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Malformed {
    message: String,
    /// The line, from 1, if it is known.
    pub(super) line: Option<usize>,
}

/// Key of the table that stands for a date, which JSON does not have. No TOML file can hold it
/// unwritten: control characters must be escaped there.
pub(super) const DATE: &str = "\u{0}date";

/// Reads TOML text. Whole numbers and numbers with a fraction stay apart; a date becomes a table of
/// [`DATE`].
pub(super) fn parse_config(text: &str) -> Result<Value, Malformed> {
    parse_document(text).map(|(table, _)| table)
}

/// Reads TOML text with its comments.
pub(super) fn parse_document(text: &str) -> Result<(Value, Comments), Malformed> {
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let before = error.span().and_then(|span| text.get(..span.start));
        Malformed {
            message: error.to_string().trim_end().to_owned(),
            line: before.map(|before| before.matches('\n').count() + 1),
        }
    })?;
    Ok((
        table_value(document.as_table()),
        Comments::collect_comments(&document),
    ))
}

/// A configuration's version, which decides where things stand in it.
pub(super) fn config_version(config: &Value) -> Result<i64, String> {
    match config.get("version") {
        None => Err("it has no version".to_owned()),
        Some(version) => version
            .as_i64()
            .ok_or_else(|| format!("its version is {version}, not a whole number")),
    }
}

fn table_value(table: &dyn TableLike) -> Value {
    table
        .iter()
        .map(|(key, item)| (key.to_owned(), json_value(item)))
        .collect()
}

fn json_value(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => value_json(value),
        Item::Table(inner) => table_value(inner),
        Item::ArrayOfTables(tables) => tables.iter().map(|inner| table_value(inner)).collect(),
    }
}

fn value_json(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(value) => (*value.value()).into(),
        toml_edit::Value::Datetime(date) => json!({ DATE: date.value().to_string() }),
        toml_edit::Value::Array(items) => items.iter().map(value_json).collect(),
        toml_edit::Value::InlineTable(inner) => table_value(inner),
    }
}
