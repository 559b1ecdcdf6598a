//! A command as a shell would take it, for messages.

/// The arguments with quotes where a shell needs them, separated by spaces.
pub(super) fn quote_command(argv: &[String]) -> String {
    let words: Vec<_> = argv.iter().map(|word| quote_word(word)).collect();
    words.join(" ")
}

fn quote_word(word: &str) -> String {
    if word.is_empty() {
        return "''".to_owned();
    }
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_@%+=:,./-".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_kind_does_it() {
        for (word, text) in [
            ("", "''"),
            ("a_b@%+=:,./-Z9", "a_b@%+=:,./-Z9"),
            ("--filter=name=^kind$", "'--filter=name=^kind$'"),
            ("[::1]:1", "'[::1]:1'"),
            ("it's", r#"'it'"'"'s'"#),
            ("ä", "'ä'"),
        ] {
            assert_eq!(quote_command(&[word.to_owned()]), text);
        }
        let argv = ["docker", "ps", "-a b"].map(str::to_owned);
        assert_eq!(quote_command(&argv), "docker ps '-a b'");
    }
}
