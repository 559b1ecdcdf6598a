//! `WWW-Authenticate`: how a server wants to be convinced.

use std::collections::BTreeMap;

/// One way to be convinced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case, for example `bearer`.
    pub(super) scheme: String,
    /// Names in lower case.
    pub(super) parameters: BTreeMap<String, String>,
}

/// The challenges of a header; what is malformed ends the list.
pub(super) fn parse_challenges(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let (word, after) = split_token(rest);
        if word.is_empty() {
            break;
        }
        match after.trim_start().strip_prefix('=') {
            Some(value) => {
                let (value, after) = quoted_or_token(value.trim_start());
                if let Some(challenge) = challenges.last_mut() {
                    challenge.parameters.insert(word.to_lowercase(), value);
                }
                rest = after;
            }
            None => {
                challenges.push(Challenge {
                    scheme: word.to_lowercase(),
                    parameters: BTreeMap::new(),
                });
                rest = after;
            }
        }
        rest = rest.trim_start_matches([' ', ',', '\t']);
    }
    challenges
}

fn split_token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '=' | ',' | '"'));
    text.split_at(end.unwrap_or(text.len()))
}

fn quoted_or_token(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, after) = split_token(text);
        return (word.to_owned(), after);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[index + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_told_apart() {
        let header = r#"Bearer realm="https://auth.test/token",service="registry.test", scope="repository:a/b:pull,push", Basic realm="a \"b\"", Negotiate"#;
        let found = parse_challenges(header);
        let schemes: Vec<_> = found.iter().map(|it| it.scheme.as_str()).collect();
        assert_eq!(schemes, ["bearer", "basic", "negotiate"]);
        assert_eq!(found[0].parameters["scope"], "repository:a/b:pull,push");
        assert_eq!(found[0].parameters["realm"], "https://auth.test/token");
        assert_eq!(found[1].parameters["realm"], "a \"b\"");
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(text in ".{0,80}") {
            parse_challenges(&text);
        }
    }
}
