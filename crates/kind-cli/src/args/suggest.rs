//! Commands that a mistyped word may have meant.

use crate::args::Command;

/// Names of `command`'s children that are near `word`: two edits away at most, or begun by it.
pub(super) fn suggestions(command: &Command, word: &str) -> Vec<&'static str> {
    let typed = word.to_lowercase();
    command
        .children
        .iter()
        .filter(|child| !child.hidden)
        .map(|child| child.name)
        .filter(|name| name.starts_with(&typed) || distance(&typed, name) <= 2)
        .collect()
}

/// The number of letters to insert, remove or replace to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn edits_are_counted() {
        for (from, to, edits) in [
            ("create", "create", 0),
            ("creat", "create", 1),
            ("craete", "create", 2),
            ("", "get", 3),
            ("foo", "load", 3),
        ] {
            assert_eq!(distance(from, to), edits);
        }
    }
}
