//! Values as YAML in block style, one scalar a line, so that both programs can name lines.

use serde_json::Value;

/// The text of a value.
pub(crate) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, indent: usize, text: &mut String) {
    let space = " ".repeat(indent);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                text.push_str(&format!("{space}{name}:"));
                write_after(value, indent, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&format!("{space}-"));
                write_after(item, indent, text);
            }
        }
        scalar => text.push_str(&format!("{space}{scalar}\n")),
    }
}

/// What stands behind a key or a dash. JSON's scalars are YAML's.
fn write_after(value: &Value, indent: usize, text: &mut String) {
    let nested = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if nested {
        text.push('\n');
        write(value, indent + 2, text);
    } else {
        text.push_str(&format!(" {value}\n"));
    }
}
