//! JSON as TOML text, in the layout that kind's nodes have: keys sorted, the values of a table
//! before its sub-tables, two spaces a level, a blank line before each table of the top level.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Writes a table. Values that are null are left out: TOML has none.
pub(super) fn write(config: &Value) -> String {
    let mut layout = Layout::default();
    if let Value::Object(table) = config {
        layout.table(table, &[]);
    }
    layout.out
}

#[derive(Default)]
struct Layout {
    out: String,
}

impl Layout {
    fn table(&mut self, table: &Map<String, Value>, path: &[&str]) {
        let mut entries: Vec<_> = table.iter().filter(|(_, value)| !value.is_null()).collect();
        entries.sort_by_key(|(key, _)| *key);
        let (tables, values): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|(_, value)| value.is_object() || is_table_array(value));
        for (key, value) in values {
            self.indent(path.len());
            self.out.push_str(&key_text(key));
            self.out.push_str(" = ");
            self.value(value);
            self.out.push('\n');
        }
        for (key, value) in tables {
            let path = [path, &[key.as_str()]].concat();
            match value {
                Value::Object(table) => self.sub_table(table, &path),
                Value::Array(items) => self.table_array(items, &path),
                _ => {}
            }
        }
    }

    fn sub_table(&mut self, table: &Map<String, Value>, path: &[&str]) {
        if path.len() == 1 {
            self.blank_line();
        }
        self.header(path, "[", "]");
        self.table(table, path);
    }

    fn table_array(&mut self, items: &[Value], path: &[&str]) {
        for item in items.iter().filter_map(Value::as_object) {
            self.blank_line();
            self.header(path, "[[", "]]");
            self.table(item, path);
        }
    }

    fn header(&mut self, path: &[&str], open: &str, close: &str) {
        self.indent(path.len() - 1);
        let keys: Vec<String> = path.iter().map(|key| key_text(key)).collect();
        let _ = writeln!(self.out, "{open}{}{close}", keys.join("."));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => {
                let _ = write!(self.out, "{value}");
            }
            Value::String(text) => self.out.push_str(&quoted(text)),
            Value::Array(items) => {
                self.out.push('[');
                let items = items.iter().filter(|item| !item.is_null());
                for (index, item) in items.enumerate() {
                    self.separate(index);
                    self.value(item);
                }
                self.out.push(']');
            }
            Value::Object(table) => self.inline_table(table),
        }
    }

    fn inline_table(&mut self, table: &Map<String, Value>) {
        self.out.push('{');
        let entries = table.iter().filter(|(_, value)| !value.is_null());
        for (index, (key, value)) in entries.enumerate() {
            self.separate(index);
            self.out.push_str(&key_text(key));
            self.out.push_str(" = ");
            self.value(value);
        }
        self.out.push('}');
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.push_str(", ");
        }
    }

    fn blank_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, levels: usize) {
        self.out.extend(std::iter::repeat_n("  ", levels));
    }
}

fn is_table_array(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
}

fn key_text(key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
