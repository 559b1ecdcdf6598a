//! JSON as TOML text, in the layout that kind's nodes have: keys sorted, the values of a table
//! before its sub-tables, two spaces a level, a blank line before each table of the top level.

use std::fmt::Write;

use serde_json::{Map, Value};
use toml_edit::Datetime;

use super::comments::Comments;
use super::table::DATE;

/// Writes a table. Values that are null are left out: TOML has none.
pub(super) fn write_config(config: &Value, comments: &Comments) -> String {
    let mut layout = Layout {
        out: String::new(),
        comments,
    };
    for line in &comments.head {
        let _ = writeln!(layout.out, "{line}");
    }
    if !comments.head.is_empty() {
        layout.out.push('\n');
    }
    if let Value::Object(table) = config {
        layout.write_table(table, &[]);
    }
    layout.out
}

struct Layout<'a> {
    out: String,
    comments: &'a Comments,
}

impl Layout<'_> {
    fn write_table(&mut self, table: &Map<String, Value>, path: &[&str]) {
        let mut entries: Vec<_> = table.iter().filter(|(_, value)| !value.is_null()).collect();
        entries.sort_by_key(|(key, _)| *key);
        let (tables, values): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|(_, value)| is_table(value) || is_table_array(value));
        for (key, value) in values {
            let path = [path, &[key.as_str()]].concat();
            self.comments_before(&path);
            self.write_indent(path.len() - 1);
            self.out.push_str(&key_text(key));
            self.out.push_str(" = ");
            self.write_value(value);
            self.end_line(&path);
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
        self.comments_before(path);
        self.write_header(path, "[", "]");
        self.end_line(path);
        self.write_table(table, path);
    }

    fn table_array(&mut self, items: &[Value], path: &[&str]) {
        for item in items.iter().filter_map(Value::as_object) {
            self.blank_line();
            self.write_header(path, "[[", "]]");
            self.out.push('\n');
            self.write_table(item, path);
        }
    }

    fn write_header(&mut self, path: &[&str], open: &str, close: &str) {
        self.write_indent(path.len() - 1);
        let keys: Vec<String> = path.iter().map(|key| key_text(key)).collect();
        let _ = write!(self.out, "{open}{}{close}", keys.join("."));
    }

    fn comments_before(&mut self, path: &[&str]) {
        for line in self
            .comments
            .comment_at(path)
            .into_iter()
            .flat_map(|c| &c.before)
        {
            self.write_indent(path.len() - 1);
            let _ = writeln!(self.out, "{line}");
        }
    }

    fn end_line(&mut self, path: &[&str]) {
        if let Some(beside) = self
            .comments
            .comment_at(path)
            .and_then(|c| c.beside.as_ref())
        {
            let _ = write!(self.out, " {beside}");
        }
        self.out.push('\n');
    }

    fn write_value(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => {
                let _ = write!(self.out, "{value}");
            }
            Value::String(text) => self.out.push_str(&quote_text(text)),
            Value::Array(items) => {
                self.out.push('[');
                let items = items.iter().filter(|item| !item.is_null());
                for (index, item) in items.enumerate() {
                    self.write_separator(index);
                    self.write_value(item);
                }
                self.out.push(']');
            }
            Value::Object(table) => match find_date(value) {
                Some(date) => self.out.push_str(date),
                None => self.inline_table(table),
            },
        }
    }

    fn inline_table(&mut self, table: &Map<String, Value>) {
        self.out.push('{');
        let entries = table.iter().filter(|(_, value)| !value.is_null());
        for (index, (key, value)) in entries.enumerate() {
            self.write_separator(index);
            self.out.push_str(&key_text(key));
            self.out.push_str(" = ");
            self.write_value(value);
        }
        self.out.push('}');
    }

    fn write_separator(&mut self, index: usize) {
        if index > 0 {
            self.out.push_str(", ");
        }
    }

    fn blank_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn write_indent(&mut self, levels: usize) {
        self.out.extend(std::iter::repeat_n("  ", levels));
    }
}

fn is_table(value: &Value) -> bool {
    value.is_object() && find_date(value).is_none()
}

/// The date that a value stands for.
fn find_date(value: &Value) -> Option<&str> {
    let table = value.as_object()?;
    match table.len() {
        1 => table
            .get(DATE)?
            .as_str()
            .filter(|text| text.parse::<Datetime>().is_ok()),
        _ => None,
    }
}

fn is_table_array(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| !items.is_empty() && items.iter().all(is_table))
}

fn key_text(key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        quote_text(key)
    }
}

fn quote_text(text: &str) -> String {
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
