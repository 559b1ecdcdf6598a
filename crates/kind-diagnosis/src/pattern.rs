//! Text with holes.

/// What stood in a pattern's holes, the first one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Captures<'a>(Vec<&'a str>);

/// What programs say that wait for another one.
const WAITING: [&str; 20] = [
    "connection refused",
    "i/o timeout",
    "deadline exceeded",
    "no route to host",
    "timed out",
    "connection reset",
    "TLS handshake timeout",
    "leader election lost",
    "leaderelection lost",
    "leader changed",
    "connect: no such file or directory",
    "server is not initialized yet",
    "could not retrieve cluster information",
    "extension-apiserver-authentication",
    "Unauthorized",
    // Until the API server has made its roles, and while it comes up.
    "is forbidden: ",
    "currently unable to handle the request",
    ": EOF",
    "Too Many Requests",
    "toomanyrequests",
];

impl<'a> Captures<'a> {
    /// Finds a pattern anywhere in a text. Each `{}` stands for a word at the end of the pattern, and for anything
    /// up to what follows it elsewhere; `{*}` at the end stands for the rest.
    pub(crate) fn find_match(pattern: &str, text: &'a str) -> Option<Self> {
        let rest_pattern = pattern.strip_suffix("{*}");
        let mut parts = rest_pattern.unwrap_or(pattern).split("{}");
        let first = parts.next().unwrap_or_default();
        let mut rest = &text[text.find(first)? + first.len()..];
        let mut captured = Vec::new();
        for part in parts {
            let end = match part {
                // A word is not nothing.
                "" => Some(rest.find(ends_word).unwrap_or(rest.len())).filter(|end| *end > 0)?,
                part => rest.find(part)?,
            };
            captured.push(&rest[..end]);
            rest = &rest[end + part.len()..];
        }
        captured.extend(rest_pattern.map(|_| rest));
        Some(Self(captured))
    }

    /// Fills `{1}`, `{2}` … in a text.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (index, captured) in self.0.iter().enumerate() {
            text = text.replace(&format!("{{{}}}", index + 1), captured.trim());
        }
        text
    }
}

/// Whether words are those of a program that waits for another one, so that it may go on later.
pub(crate) fn waits_for_another(words: &str) -> bool {
    WAITING.iter().any(|waiting| words.contains(waiting))
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | ',' | ';' | ')' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled() {
        let captures = Captures::find_match(
            "argument {} for \"{}\" flag",
            "an argument \"a b\" for \"-v\" flag: x",
        );
        let captures = captures.unwrap();
        assert_eq!(captures.fill("{2} is {1}"), "-v is \"a b\"");
        let word =
            Captures::find_match("unknown flag: {}", "failed: unknown flag: --a\", x").unwrap();
        assert_eq!(word.fill("{1}"), "--a");
        let rest = Captures::find_match("at {}: {*}", "error at 1: a b").unwrap();
        assert_eq!(rest.fill("{1}, {2}"), "1, a b");
        assert_eq!(Captures::find_match("open {}: no such", "open /a"), None);
        assert_eq!(Captures::find_match("open \"{}", "open \"\" a"), None);
        assert_eq!(
            Captures::find_match("no holes", "with no holes")
                .unwrap()
                .fill("a"),
            "a"
        );
    }
}
