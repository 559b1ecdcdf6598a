//! Changes to a kubeconfig's text. What is not the cluster's stays as it stands: order, comments,
//! unknown fields, the spelling of every scalar.

use kind_config::yaml::{DocumentEditor, Value, emit};

use super::document::{
    self, BoxError, Document, LISTS, context_name, encode_document, list_items, name_of,
};

/// The text with an entry's items in it, in place of items of the same name or at the end, and with
/// its context as the current one.
pub(super) fn merge_text(text: &str, entry: &Document) -> Result<String, BoxError> {
    let before = document::parse_document(text)?;
    let after = document::merge_entry(before.clone(), entry)?;
    let edited = if before.as_mapping().is_none_or(|top| top.is_empty()) {
        Some(below_comments(text, &after))
    } else {
        edit_in(text, &before, &after, entry)
    };
    Ok(check_edit(edited, &after))
}

/// The text without a cluster's items; `None` if it has none.
pub(super) fn remove_from_text(text: &str, cluster: &str) -> Result<Option<String>, BoxError> {
    let before = document::parse_document(text)?;
    let mut after = before.clone();
    if !document::remove_cluster(&mut after, cluster) {
        return Ok(None);
    }
    Ok(Some(check_edit(edit_out(text, &before, cluster), &after)))
}

/// The edited text if it says what it shall say; otherwise the document is written anew, as happens
/// with kubeconfigs of an unusual form, for example in JSON.
fn check_edit(edited: Option<String>, document: &Document) -> String {
    let says = |text: &String| {
        document::parse_document(text).is_ok_and(|parsed| emit(&parsed) == emit(document))
    };
    edited
        .filter(says)
        .unwrap_or_else(|| encode_document(document))
}

fn below_comments(text: &str, document: &Document) -> String {
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => "",
        _ => "\n",
    };
    format!("{text}{gap}{}", encode_document(document))
}

fn edit_in(text: &str, before: &Document, after: &Document, entry: &Document) -> Option<String> {
    let mut edit = DocumentEditor::new(text);
    for list in LISTS {
        for item in list_items(entry, list) {
            let mut present = list_items(before, list).iter();
            match present.position(|other| name_of(other) == name_of(item)) {
                Some(index) => edit.replace_item(list, index, item)?,
                None => edit.append(list, item)?,
            }
        }
    }
    for (key, value) in after.as_mapping()?.iter() {
        match before.get(key) {
            _ if LISTS.contains(&key) => {}
            None => edit.insert(key, value)?,
            Some(other) if other == value => {}
            Some(_) => edit.set_value(key, value.as_str()?)?,
        }
    }
    Some(edit.into_text())
}

fn edit_out(text: &str, before: &Document, cluster: &str) -> Option<String> {
    let name = context_name(cluster);
    let mut edit = DocumentEditor::new(text);
    for list in LISTS {
        let ours = list_items(before, list).iter().enumerate();
        let ours = ours.filter(|(_, item)| name_of(item) == Some(&name));
        for (index, _) in ours.rev() {
            edit.remove_item(list, index)?;
        }
    }
    if before.get("current-context").and_then(Value::as_str) == Some(&name) {
        edit.remove_entry("current-context")?;
    }
    Some(edit.into_text())
}
