//! The word that was probably meant.

/// The known word nearest to another: the same letters in another case, or few typing mistakes.
pub fn nearest_word<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace(['_', '-'], "");
    known
        .into_iter()
        .map(|other| {
            let plain = other.to_lowercase().replace(['_', '-'], "");
            (strsim::levenshtein(&word, &plain), other)
        })
        .filter(|(distance, other)| *distance * 3 <= other.len())
        .min()
        .map(|(_, other)| other)
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
            assert_eq!(nearest_word(word, words), meant, "{word}");
        }
    }
}
