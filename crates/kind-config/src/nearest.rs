//! The word that was probably meant.

/// The known word nearest to another: the same letters in another case, or few typing mistakes.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace(['_', '-'], "");
    known
        .into_iter()
        .map(|other| {
            let plain = other.to_lowercase().replace(['_', '-'], "");
            (distance(&word, &plain), other)
        })
        .filter(|(distance, other)| *distance * 3 <= other.len())
        .min()
        .map(|(_, other)| other)
}

/// Edits (insert, remove, replace a letter) that make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in right.iter().enumerate() {
            let replace = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replace.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_the_word_that_was_meant() {
        let words = ["nodes", "networking", "featureGates", "control-plane"];
        for (word, meant) in [
            ("nodez", Some("nodes")),
            ("Networking", Some("networking")),
            ("feature_gates", Some("featureGates")),
            ("controlplane", Some("control-plane")),
            ("bogus", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, words), meant, "{word}");
        }
    }
}
