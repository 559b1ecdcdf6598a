//! Extra arguments of kubeadm v1beta4: lists of names and values, merged by name.

use serde_json::{Value, json};

/// The forms of extra arguments that a patch may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A map, which needs no special merge: the document is of an older API version.
    Map,
    /// A list: the patch says that it is for v1beta4.
    List,
    /// Either: the patch is for any API version.
    ListOrMap,
}

/// Replaces the arguments of a patch by the document's arguments changed by them. Null stays: it
/// removes all arguments.
pub(super) fn merge_arguments(
    patch: &mut Value,
    present: &Value,
    form: Form,
    path: &str,
) -> Result<(), String> {
    let changes = match patch {
        Value::Null => return Ok(()),
        Value::Array(items) => items
            .iter()
            .map(|item| named(item, path))
            .collect::<Result<Vec<_>, _>>()?,
        Value::Object(map) if form == Form::ListOrMap => map
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        _ => {
            return Err(format!(
                "{path}: kubeadm.k8s.io/v1beta4 has a list of entries with name and value here"
            ));
        }
    };
    let mut arguments = present.as_array().cloned().unwrap_or_default();
    for (name, value) in changes {
        let value = as_text(value, &format!("{path}: {name}"))?;
        change_argument(&mut arguments, &name, value);
    }
    *patch = Value::Array(arguments);
    Ok(())
}

fn named(item: &Value, path: &str) -> Result<(String, Value), String> {
    match item.get("name").and_then(Value::as_str) {
        Some(name) => Ok((
            name.to_owned(),
            item.get("value").cloned().unwrap_or_default(),
        )),
        None => Err(format!("{path}: each entry needs a name")),
    }
}

/// The text of an argument; `None` removes it. kubeadm takes text only, so `v: 5` is as good as
/// `v: "5"`.
fn as_text(value: Value, path: &str) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err(format!("{path}: the value must be text")),
    }
}

/// Sets or removes the first argument of a name, or adds one.
fn change_argument(arguments: &mut Vec<Value>, name: &str, value: Option<String>) {
    let index = arguments
        .iter()
        .position(|argument| argument.get("name").is_some_and(|present| present == name));
    match (index, value) {
        (Some(index), Some(value)) => arguments[index]["value"] = value.into(),
        (Some(index), None) => {
            arguments.remove(index);
        }
        (None, Some(value)) => arguments.push(json!({ "name": name, "value": value })),
        (None, None) => {}
    }
}
