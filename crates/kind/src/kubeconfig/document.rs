//! One kubeconfig document: made from kubeadm's, merged, and cleaned of an entry.

use kind_config::yaml::{self, Mapping, Value};

/// Why a text is no kubeconfig, or not the one that is wanted.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A kubeconfig document.
pub(crate) type Document = Value;

/// Writes a document as kubectl does: sorted keys, nothing at all for an empty document.
pub(crate) fn encode_document(document: &Document) -> String {
    match document.as_mapping() {
        Some(mapping) if mapping.is_empty() => String::new(),
        _ => yaml::emit(document),
    }
}

/// The lists whose items have names.
pub(super) const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

/// Name of a cluster's context, cluster and user entries: `kind-` and the cluster's name.
pub fn context_name(cluster: &str) -> String {
    format!("kind-{cluster}")
}

/// Reads a document; nothing but space and comments is an empty one.
pub(super) fn parse_document(text: &str) -> Result<Document, BoxError> {
    if text.is_empty() {
        return Ok(Mapping::new().into());
    }
    let value = yaml::parse(text)?;
    if value.is_null() {
        return Ok(Mapping::new().into());
    }
    if value.as_mapping().is_none() {
        return Err("yaml: a kubeconfig must be a mapping".into());
    }
    Ok(value)
}

/// What is taken over from each list of kubeadm's document: its name, where a list keeps it, and the fields.
const FIELDS: [(&str, &str, &[&str]); 3] = [
    (
        "clusters",
        "cluster",
        &["certificate-authority-data", "server"],
    ),
    ("contexts", "context", &[]),
    (
        "users",
        "user",
        &["client-certificate-data", "client-key-data"],
    ),
];

/// Makes a cluster's document from kubeadm's `admin.conf`; `server` replaces the API server's URL.
///
/// The file is a node's, and whoever uses the document is a user of the host: nothing but these fields comes from there,
/// least of all a program to run, a file to read or a proxy to go through.
pub(crate) fn from_admin(
    text: &str,
    cluster: &str,
    server: Option<&str>,
) -> Result<Document, BoxError> {
    let admin = parse_document(text)?;
    let name = context_name(cluster);
    let mut document = Mapping::new();
    document.insert("apiVersion", "v1");
    document.insert("kind", "Config");
    if admin.get("preferences").is_some() {
        document.insert("preferences", Mapping::new());
    }
    for (list, inner, fields) in FIELDS {
        let mut taken = take_fields(the_only(&admin, list)?.get(inner), fields)?;
        match (list, server) {
            ("clusters", Some(server)) => drop(taken.insert("server", server)),
            ("clusters", None) => check_server(taken.get("server"))?,
            ("contexts", _) => {
                taken.insert("cluster", name.as_str());
                taken.insert("user", name.as_str());
            }
            _ => {}
        }
        let mut item = Mapping::new();
        item.insert(inner, taken);
        item.insert("name", name.as_str());
        document.insert(list, vec![Value::from(item)]);
    }
    document.insert("current-context", name.as_str());
    Ok(document.into())
}

/// The only item of a list.
fn the_only<'a>(admin: &'a Document, list: &str) -> Result<&'a Value, BoxError> {
    match list_items(admin, list) {
        [item] => Ok(item),
        items => {
            let (kind, count) = (list.trim_end_matches('s'), items.len());
            Err(format!("kubeadm KUBECONFIG should have one {kind}, but read {count}").into())
        }
    }
}

/// Copies the fields that are there. None of them is anything but a text.
fn take_fields(from: Option<&Value>, fields: &[&str]) -> Result<Mapping, BoxError> {
    let mut taken = Mapping::new();
    for (key, value) in from
        .and_then(Value::as_mapping)
        .into_iter()
        .flat_map(Mapping::iter)
    {
        if !fields.contains(&key) {
            tracing::warn!(field = key, "a field of the node's kubeconfig is left out");
            continue;
        }
        let text = value.as_str();
        let text = text.ok_or_else(|| format!("kubeadm KUBECONFIG has a {key} that is no text"))?;
        taken.insert(key, text);
    }
    Ok(taken)
}

/// An address inside the cluster's network is the node's to tell, but never one without encryption.
fn check_server(server: Option<&Value>) -> Result<(), BoxError> {
    let server = server.and_then(Value::as_str).unwrap_or_default();
    if server.is_empty() || server.starts_with("https://") {
        return Ok(());
    }
    Err(format!("kubeadm KUBECONFIG has a server that is not https: {server:?}").into())
}

/// Puts the entry's items into the document, in place of items of the same name or at the end, and
/// makes its context the current one.
pub(super) fn merge_entry(
    mut document: Document,
    entry: &Document,
) -> Result<Document, &'static str> {
    let current = entry.get("current-context").cloned();
    let current = current.filter(|_| LISTS.iter().all(|list| !list_items(entry, list).is_empty()));
    let current = current.ok_or("the kubeconfig to merge is empty")?;
    let top = document
        .as_mapping_mut()
        .ok_or("the kubeconfig to merge into is no mapping")?;
    if top.iter().all(|(key, _)| is_ours(key)) {
        for key in ["apiVersion", "kind", "preferences"] {
            if let Some(value) = entry.get(key) {
                top.insert(key, value.clone());
            }
        }
    }
    for list in LISTS {
        let mut merged = items_of(top, list).to_vec();
        for item in list_items(entry, list) {
            match merged
                .iter_mut()
                .find(|other| name_of(other) == name_of(item))
            {
                Some(other) => *other = item.clone(),
                None => merged.push(item.clone()),
            }
        }
        top.insert(list, merged);
    }
    top.insert("current-context", current);
    Ok(document)
}

/// Takes a cluster's items out; true if anything was there.
pub(super) fn remove_cluster(document: &mut Document, cluster: &str) -> bool {
    let name = context_name(cluster);
    let Some(top) = document.as_mapping_mut() else {
        return false;
    };
    let mut changed = false;
    for list in LISTS {
        let Some(items) = top.get_mut(list).and_then(Value::as_sequence_mut) else {
            continue;
        };
        let before = items.len();
        items.retain(|item| name_of(item) != Some(&name));
        changed |= items.len() != before;
        if items.is_empty() && before > 0 {
            top.remove(list);
        }
    }
    if top.get("current-context").and_then(Value::as_str) == Some(&name) {
        top.remove("current-context");
        changed = true;
    }
    changed
}

fn is_ours(key: &str) -> bool {
    LISTS.contains(&key) || key == "current-context"
}

pub(super) fn list_items<'a>(document: &'a Document, list: &str) -> &'a [Value] {
    document.as_mapping().map_or(&[], |top| items_of(top, list))
}

fn items_of<'a>(top: &'a Mapping, list: &str) -> &'a [Value] {
    top.get(list).and_then(Value::as_sequence).unwrap_or(&[])
}

pub(super) fn name_of(item: &Value) -> Option<&str> {
    item.get("name")?.as_str()
}
