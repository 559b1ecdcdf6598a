//! Changes to a document's text that leave everything else as it stands: comments, order, scalars.

use std::ops::Range;

use super::outline::{self, Entry, ValueLayout};
use super::{Mapping, Value, emit, key_order};

/// Text of a document that is changed entry by entry.
///
/// Only documents in the usual form can be changed: one document, a mapping in block style. Methods
/// return `None`, and change nothing, where the text is of another form; the caller then writes the
/// whole document anew.
#[derive(Debug, Clone)]
pub struct DocumentEditor {
    text: String,
    /// What stands between lines.
    line_break: &'static str,
}

impl DocumentEditor {
    /// Begins with a text.
    pub fn new(text: &str) -> Self {
        let windows =
            text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
        Self {
            text: text.to_owned(),
            line_break: if windows { "\r\n" } else { "\n" },
        }
    }

    /// The text as it is now.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Sets a top-level entry to a scalar, or adds one: in front of the first greater key, as sorted
    /// documents have it.
    pub fn set_value(&mut self, key: &str, value: &str) -> Option<()> {
        let entries = outline::outline_of(&self.text)?;
        let written = emit(&value.into());
        let Some(entry) = entries.iter().find(|entry| entry.key == key) else {
            return self.add(&entries, key, value.into());
        };
        match &entry.value {
            ValueLayout::Scalar(range) => {
                self.text.replace_range(range.clone(), written.trim_end())
            }
            ValueLayout::Nothing => {
                self.replace(entry.lines.clone(), &entry_lines(key, value.into()));
            }
            _ => return None,
        }
        Some(())
    }

    /// Adds a top-level entry that is not there, in the place that [`DocumentEditor::set_value`] would give it.
    pub fn insert(&mut self, key: &str, value: &Value) -> Option<()> {
        let entries = outline::outline_of(&self.text)?;
        if entries.iter().any(|entry| entry.key == key) {
            return None;
        }
        self.add(&entries, key, value.clone())
    }

    /// Removes a top-level entry with all its lines.
    pub fn remove_entry(&mut self, key: &str) -> Option<()> {
        let entries = outline::outline_of(&self.text)?;
        let entry = entries.into_iter().find(|entry| entry.key == key)?;
        self.replace(entry.lines, &[]);
        Some(())
    }

    /// Adds an item to the end of a list, which is made if there is none.
    pub fn append(&mut self, list: &str, item: &Value) -> Option<()> {
        let entries = outline::outline_of(&self.text)?;
        let Some(entry) = entries.iter().find(|entry| entry.key == list) else {
            return self.add(&entries, list, vec![item.clone()].into());
        };
        match &entry.value {
            ValueLayout::Items { indent, .. } => {
                let lines = item_lines(item, *indent);
                self.replace(entry.lines.end..entry.lines.end, &lines);
                Some(())
            }
            ValueLayout::Nothing => {
                let lines = entry_lines(list, vec![item.clone()].into());
                self.replace(entry.lines.clone(), &lines);
                Some(())
            }
            _ => None,
        }
    }

    /// Puts an item in the place of another one.
    pub fn replace_item(&mut self, list: &str, index: usize, item: &Value) -> Option<()> {
        let (indent, lines) = self.item(list, index)?;
        self.replace(lines, &item_lines(item, indent));
        Some(())
    }

    /// Removes an item; its list too if it is the last one.
    pub fn remove_item(&mut self, list: &str, index: usize) -> Option<()> {
        let (_, lines) = self.item(list, index)?;
        let entries = outline::outline_of(&self.text)?;
        let entry = entries.into_iter().find(|entry| entry.key == list)?;
        match entry.value {
            ValueLayout::Items { items, .. } if items.len() == 1 => self.replace(entry.lines, &[]),
            _ => self.replace(lines, &[]),
        }
        Some(())
    }

    /// The indentation of a list and the lines of one of its items.
    fn item(&self, list: &str, index: usize) -> Option<(usize, Range<usize>)> {
        let entries = outline::outline_of(&self.text)?;
        let entry = entries.into_iter().find(|entry| entry.key == list)?;
        match entry.value {
            ValueLayout::Items { indent, items } => Some((indent, items.get(index)?.clone())),
            _ => None,
        }
    }

    fn add(&mut self, entries: &[Entry], key: &str, value: Value) -> Option<()> {
        let follower = entries
            .iter()
            .position(|entry| key_order::compare_keys(&entry.key, key).is_gt());
        let line = match follower {
            Some(0) => entries[0].lines.start,
            Some(index) => entries[index - 1].lines.end,
            None => entries.last()?.lines.end,
        };
        self.replace(line..line, &entry_lines(key, value));
        Some(())
    }

    /// Puts lines in the place of others. Whether the text ends in a line break stays as it is.
    fn replace(&mut self, range: Range<usize>, with: &[String]) {
        let mut lines: Vec<&str> = self.text.split(self.line_break).collect();
        lines.splice(range, with.iter().map(String::as_str));
        self.text = lines.join(self.line_break);
    }
}

/// An entry in lines of its own.
fn entry_lines(key: &str, value: Value) -> Vec<String> {
    let mut mapping = Mapping::new();
    mapping.insert(key, value);
    let text = emit(&mapping.into());
    text.lines().map(str::to_owned).collect()
}

/// An item in lines of its own.
fn item_lines(item: &Value, indent: usize) -> Vec<String> {
    let text = emit(&vec![item.clone()].into());
    let indentation = " ".repeat(indent);
    let lines = text.lines().map(|line| match line {
        "" => String::new(),
        _ => format!("{indentation}{line}"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(
        text: &str,
        change: impl FnOnce(&mut DocumentEditor) -> Option<()>,
    ) -> Option<String> {
        let mut edit = DocumentEditor::new(text);
        change(&mut edit)?;
        Some(edit.into_text())
    }

    #[test]
    fn scalars_change_in_place() {
        for (before, after) in [
            ("a: 1\nb: old # why\nc: 3\n", "a: 1\nb: new # why\nc: 3\n"),
            ("b: \"old\"", "b: new"),
            ("a: 1\n# of c\nc: 3\n", "a: 1\nb: new\n# of c\nc: 3\n"),
            ("# top\nc: 3\n", "# top\nb: new\nc: 3\n"),
            ("b:\nc: 2\n", "b: new\nc: 2\n"),
            ("a: 1", "a: 1\nb: new"),
            ("a: 1\r\nc: 2\r\n", "a: 1\r\nb: new\r\nc: 2\r\n"),
        ] {
            assert_eq!(
                edited(before, |edit| edit.set_value("b", "new")).as_deref(),
                Some(after)
            );
        }
        for text in ["", "[]", "b: [1]\n", "b: |\n  x\n"] {
            assert_eq!(
                edited(text, |edit| edit.set_value("b", "new")),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn items_come_and_go() {
        let item = Value::from(Mapping::from_iter([
            ("name".to_owned(), Value::from("n")),
            ("x".to_owned(), Value::from("1")),
        ]));
        for (before, after) in [
            (
                "l:\n- a # keep\n\n# end\n",
                "l:\n- a # keep\n- name: \"n\"\n  x: \"1\"\n\n# end\n",
            ),
            (
                "l:\n  - a\nm: 1\n",
                "l:\n  - a\n  - name: \"n\"\n    x: \"1\"\nm: 1\n",
            ),
            ("k: 1\nm: 2", "k: 1\nl:\n- name: \"n\"\n  x: \"1\"\nm: 2"),
            ("l: []\n", "l:\n- name: \"n\"\n  x: \"1\"\n"),
            ("l: null\n", "l:\n- name: \"n\"\n  x: \"1\"\n"),
            ("l:\n- a", "l:\n- a\n- name: \"n\"\n  x: \"1\""),
        ] {
            let added = edited(before, |edit| edit.append("l", &item)).unwrap();
            assert_eq!(added, after);
        }
        let three = "l:\n- a\n# of b\n- b\n# of c\n- c\n";
        assert_eq!(
            edited(three, |edit| edit.replace_item("l", 1, &"x".into())).unwrap(),
            "l:\n- a\n# of b\n- x\n# of c\n- c\n"
        );
        assert_eq!(
            edited(three, |edit| edit.remove_item("l", 1)).unwrap(),
            "l:\n- a\n# of b\n# of c\n- c\n"
        );
        assert_eq!(
            edited("k: 1\nl:\n- a\n", |edit| edit.remove_item("l", 0)).unwrap(),
            "k: 1\n"
        );
        assert_eq!(edited("l: [a]\n", |edit| edit.remove_item("l", 0)), None);
    }
}
