//! What every document has: its version and its kind.

use serde::Serialize;

/// The version of every document.
pub(super) const API_VERSION: &str = "cli.kind.x-k8s.io/v1";

/// Something that is written as JSON.
pub(crate) trait Document: Serialize {
    /// What it is, for whoever reads it.
    const KIND: &'static str;
}

/// A document with its version and its kind.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a, T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// A document on one line.
pub(crate) fn document_line<T: Document>(document: &T) -> String {
    written(serde_json::to_string(&whole(document)))
}

/// A document laid out for people too.
pub(crate) fn document_text<T: Document>(document: &T) -> String {
    written(serde_json::to_string_pretty(&whole(document)))
}

fn whole<T: Document>(body: &T) -> Whole<'_, T> {
    Whole {
        api_version: API_VERSION,
        kind: T::KIND,
        body,
    }
}

fn written(json: serde_json::Result<String>) -> String {
    let mut text = json.expect("documents have text keys and are written to memory");
    text.push('\n');
    text
}
