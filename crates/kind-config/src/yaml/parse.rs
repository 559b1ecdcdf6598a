//! Text to values.

use super::tree::{self, Content, Tree};
use super::{Error, Problem, Value};

/// Reads the first document of a text; a text without one is null. Later documents are not looked
/// at.
///
/// # Errors
/// The text is not YAML, or a mapping has a key twice.
pub fn parse(text: &str) -> Result<Value, Error> {
    match tree::first_document(text)? {
        Some(tree) => checked(tree),
        None => Ok(Value::null()),
    }
}

/// Reads the first document of a text as [`parse`] does. Of a key that stands twice the last one counts.
///
/// # Errors
/// The text is not YAML.
pub fn parse_last_wins(text: &str) -> Result<Value, Error> {
    let tree = tree::first_document(text)?;
    Ok(tree.map_or_else(Value::null, Value::from))
}

/// Keys that stand twice in a mapping of the first document, if the text is YAML.
pub fn repeated_keys(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Ok(Some(tree)) = tree::first_document(text) {
        collect_duplicates(&tree, &mut problems);
    }
    problems
}

/// Reads every document of a text.
///
/// # Errors
/// The text is not YAML, or a mapping has a key twice.
pub fn documents(text: &str) -> Result<Vec<Value>, Error> {
    tree::all_documents(text)?
        .into_iter()
        .map(checked)
        .collect()
}

fn checked(tree: Tree) -> Result<Value, Error> {
    let mut problems = Vec::new();
    collect_duplicates(&tree, &mut problems);
    if problems.is_empty() {
        Ok(tree.into())
    } else {
        Err(Error::Content(problems))
    }
}

fn collect_duplicates(tree: &Tree, problems: &mut Vec<Problem>) {
    match &tree.content {
        Content::Sequence(items) => {
            for item in items {
                collect_duplicates(item, problems);
            }
        }
        Content::Mapping(mapping) => {
            problems.extend(mapping.duplicates.iter().map(Problem::from));
            for entry in &mapping.entries {
                collect_duplicates(&entry.value, problems);
            }
        }
        Content::Plain(_) | Content::Text(_) => {}
    }
}

impl From<&tree::Duplicate> for Problem {
    fn from(duplicate: &tree::Duplicate) -> Self {
        let tree::Duplicate { key, line, first } = duplicate;
        Self::new(
            *line,
            format!("mapping key {key:?} already defined at line {first}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json(text: &str) -> serde_json::Value {
        parse(text).unwrap().to_json()
    }

    #[test]
    fn reads_what_kubernetes_tools_read() {
        assert_eq!(json(""), json!(null));
        assert_eq!(json("# only a comment\n"), json!(null));
        assert_eq!(json("\u{feff}a: 1\r\nb: x\r\n"), json!({"a": 1, "b": "x"}));
        assert_eq!(
            json("{\"a\": [1, \"x\", null]}"),
            json!({"a": [1, "x", null]})
        );
        assert_eq!(
            json("a: 1.0\nb: 1e3\nc: 0x10\nd: yes\n"),
            json!({"a": 1, "b": 1000, "c": 16, "d": true})
        );
        assert_eq!(json("y: 1\n1: 2\n"), json!({"y": 1, "1": 2}));
        assert_eq!(
            json("a: !!str 1\nb: !!int '1'\n"),
            json!({"a": "1", "b": 1})
        );
        assert_eq!(
            json("a: |\n  x\n  y\nb: 2001-01-01\n"),
            json!({"a": "x\ny\n", "b": "2001-01-01"})
        );
        assert_eq!(
            json("a: 1\n---\n: : :\n\t"),
            json!({"a": 1}),
            "later documents"
        );
    }

    #[test]
    fn follows_aliases_and_merges() {
        let text = "base: &b {x: 1, y: 2}\nmore: &m {z: 3, x: 9}\nall: {<<: [*b, *m], y: 5}\n";
        assert_eq!(json(text)["all"], json!({"y": 5, "x": 1, "z": 3}));
        assert_eq!(json("a: &a [1]\nb: *a\n"), json!({"a": [1], "b": [1]}));
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for (text, error) in [
            (
                "a: 1\nb: {c: 1, c: 2}\n",
                "yaml: unmarshal errors:\n  line 2: mapping key \"c\" already defined at line 2",
            ),
            (
                "\ta: 1\n",
                "yaml: found character that cannot start any token",
            ),
            (
                "a:\n\tb: 1\n",
                "yaml: line 2: found character that cannot start any token",
            ),
            ("a: &a [*a]\n", "yaml: an anchor's value contains itself"),
            (
                "? [a]\n: 1\n",
                "yaml: a key must be a word, not a list or a mapping",
            ),
            (
                "<<: 1\n",
                "yaml: map merge requires map or sequence of maps as the value",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), error);
        }
        assert!(parse("a: 'open").is_err());
    }

    #[test]
    fn stops_documents_that_double_themselves() {
        let mut text = String::from("a0: &a0 [x, x]\n");
        for level in 1..40 {
            let before = level - 1;
            text += &format!("a{level}: &a{level} [*a{before}, *a{before}]\n");
        }
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains("too large"), "{error}");
    }

    #[test]
    fn keeps_the_text_of_every_scalar() {
        let value = parse("token: 012345\nword: yes\nfloat: 1.0\ndate: 2001-01-01\n").unwrap();
        for (key, text) in [
            ("token", "012345"),
            ("word", "yes"),
            ("float", "1.0"),
            ("date", "2001-01-01"),
        ] {
            assert_eq!(value.get(key).and_then(Value::as_str), Some(text));
        }
    }

    #[test]
    fn splits_streams() {
        let values = documents("a: 1\n---\n# nothing\n---\nb: 2\n").unwrap();
        assert_eq!(values.len(), 3);
        assert!(values[1].is_null());
        assert!(documents("").unwrap().is_empty());
    }
}
