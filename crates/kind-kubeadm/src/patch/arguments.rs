//! Extra arguments of kubeadm's components: maps up to v1beta3, lists of names and values from v1beta4 on.

use serde_json::{Map, Value, json};

/// The forms of extra arguments that a patch may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A map, in which a flag stands once: the document is of an older API version.
    Map,
    /// A list: the patch says that it is for v1beta4.
    List,
    /// Either: the patch is for any API version.
    ListOrMap,
}

/// What a patch makes of one flag: all its values, or none.
type Change = (String, Vec<String>);

/// Replaces the arguments of a patch by what an ordinary merge makes the document's arguments changed by them. Null
/// removes all of a map, and changes nothing of a list.
pub(super) fn merge_arguments(
    patch: &mut Value,
    present: &Value,
    form: Form,
    path: &str,
) -> Result<(), String> {
    match (&*patch, form) {
        (Value::Null | Value::Object(_), Form::Map) => {}
        (Value::Null, _) => present.clone_into(patch),
        (Value::Array(items), Form::Map) => *patch = as_map(listed_changes(items, path)?, path)?,
        (Value::Array(items), _) => *patch = merged_list(listed_changes(items, path)?, present),
        (Value::Object(map), Form::ListOrMap) => {
            *patch = merged_list(mapped_changes(map, path)?, present);
        }
        (_, Form::Map) => return Err(format!("{path}: a map of flags and values stands here")),
        _ => {
            return Err(format!(
                "{path}: kubeadm.k8s.io/v1beta4 has a list of entries with name and value here"
            ));
        }
    }
    Ok(())
}

/// The changes of a list. A flag that may repeat stands there several times.
fn listed_changes(items: &[Value], path: &str) -> Result<Vec<Change>, String> {
    let mut changes: Vec<Change> = Vec::new();
    for item in items.iter().filter(|item| !item.is_null()) {
        let name = item.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| format!("{path}: each entry needs a name"))?;
        let value = item.get("value").unwrap_or(&Value::Null);
        let value = as_text(value, &format!("{path}: {name}"))?;
        match changes.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.extend(value),
            None => changes.push((name.to_owned(), value.into_iter().collect())),
        }
    }
    Ok(changes)
}

fn mapped_changes(map: &Map<String, Value>, path: &str) -> Result<Vec<Change>, String> {
    let changes = map.iter().map(|(name, value)| {
        let value = as_text(value, &format!("{path}: {name}"))?;
        Ok((name.clone(), value.into_iter().collect()))
    });
    changes.collect()
}

/// The text of an argument; `None` removes it. kubeadm takes text only, so `v: 5` is as good as
/// `v: "5"`.
fn as_text(value: &Value, path: &str) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err(format!("{path}: the value must be text")),
    }
}

/// The document's list after some changes.
fn merged_list(changes: Vec<Change>, present: &Value) -> Value {
    let mut arguments = present.as_array().cloned().unwrap_or_default();
    for (name, values) in changes {
        change_argument(&mut arguments, &name, values);
    }
    Value::Array(arguments)
}

/// Gives a flag other values, where it stood first or at the end.
fn change_argument(arguments: &mut Vec<Value>, name: &str, values: Vec<String>) {
    let is_meant = |argument: &Value| argument.get("name").is_some_and(|present| present == name);
    let place = arguments.iter().position(is_meant);
    arguments.retain(|argument| !is_meant(argument));
    let place = place.unwrap_or(arguments.len());
    let values = values.into_iter();
    let entries = values.map(|value| json!({ "name": name, "value": value }));
    arguments.splice(place..place, entries);
}

/// A list as the map that an older document has.
fn as_map(changes: Vec<Change>, path: &str) -> Result<Value, String> {
    let entries = changes.into_iter().map(|(name, mut values)| {
        let value = values.pop();
        if values.is_empty() {
            Ok((name, value.map_or(Value::Null, Value::String)))
        } else {
            Err(format!(
                "{path}: the nodes' kubeadm has a map here, which holds one value of {name} only"
            ))
        }
    });
    entries.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}
