//! Streams of documents as kind splits them.

use kind_config::yaml;
use serde_json::Value;

/// Splits a stream and parses its documents. A document ends at any line that begins with `---`,
/// whatever follows on it; one without content is null, but a separator at the end adds none. Of a key that stands twice the
/// last one counts.
///
/// # Errors
/// A document is not YAML.
pub fn split_documents(text: &str) -> Result<Vec<Value>, yaml::Error> {
    let documents = document_lines(text).into_iter();
    documents
        .map(
            |(before, document)| match yaml::parse_last_wins(&document) {
                Ok(document) => Ok(document.to_json()),
                Err(error) => Err(error.below(before)),
            },
        )
        .collect()
}

/// The documents of a stream as text, each with the number of lines before it.
pub(crate) fn document_lines(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(0, String::new())];
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        if !line.starts_with("---") {
            if let Some((_, document)) = documents.last_mut() {
                document.push_str(line);
                document.push('\n');
            }
        } else if lines.peek().is_some() {
            documents.push((number + 1, String::new()));
        }
    }
    // A separator before the first document adds none either.
    if documents.len() > 1 && documents[0].1.trim().is_empty() {
        documents.remove(0);
    }
    documents
}

/// Writes documents as one stream.
pub(crate) fn join_documents(documents: Vec<Value>) -> String {
    let documents: Vec<String> = documents
        .into_iter()
        .map(|document| yaml::emit(&document.into()))
        .collect();
    documents.join("---\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_end_at_three_dashes() {
        for (text, documents) in [
            ("a: 1\n---\nb: 2\n", json!([{"a": 1}, {"b": 2}])),
            ("a: 1\n----\nb: 2\n", json!([{"a": 1}, {"b": 2}])),
            ("a: 1\n--- # more\nb: 2\n---\n", json!([{"a": 1}, {"b": 2}])),
            ("---\na: 1\n", json!([{"a": 1}])),
            (
                "a: 1\n---\n# nothing\n---\nb: 2\n",
                json!([{"a": 1}, null, {"b": 2}]),
            ),
            ("a: |\n  ---\n  x\n", json!([{"a": "---\nx\n"}])),
        ] {
            assert_eq!(json!(split_documents(text).unwrap()), documents, "{text}");
        }
    }
}
