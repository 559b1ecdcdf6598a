//! Commands that a mistyped word may have meant.

use crate::args::Command;

/// Names of `command`'s children that are near `word`: two edits away at most, or begun by it.
pub(super) fn suggest_commands(command: &Command, word: &str) -> Vec<&'static str> {
    let typed = word.to_lowercase();
    command
        .children
        .iter()
        .filter(|child| !child.hidden)
        .map(|child| child.name)
        .filter(|name| name.starts_with(&typed) || strsim::levenshtein(&typed, name) <= 2)
        .collect()
}
