//! Text without secrets.

use std::borrow::Cow;

use crate::forms::{PemKeys, find_forms};
use crate::known::{REDACTED, find_known, note_secret};
use crate::names::{find_named, is_secret_name};

/// A text of any origin without what is known by its value or its form.
pub fn redact_text(text: &str) -> Cow<'_, str> {
    redact_lines(text, |_| Vec::new())
}

/// A document or a command line without what is known by its value, its form or the name before it.
pub fn redact_document(text: &str) -> Cow<'_, str> {
    redact_lines(text, find_named)
}

/// Notes all secrets of a document, so that they are known by their values too.
pub fn note_document(text: &str) {
    for line in text.lines() {
        for (begin, end) in find_named(line) {
            note_secret(&line[begin..end]);
        }
        for (begin, end) in find_forms(line) {
            note_login(&line[begin..end]);
        }
    }
}

/// Notes the secret of a variable, if its name or its value says that it has one.
pub fn note_variable(name: &str, value: &str) {
    if is_secret_name(name) {
        note_secret(value);
        // Of `Basic dTpw` also what follows the scheme.
        value.split_whitespace().for_each(note_secret);
    }
    note_document(value);
}

/// Notes a secret; of `user:password` also the password alone.
fn note_login(login: &str) {
    note_secret(login);
    if let Some((_, password)) = login.split_once(':') {
        note_secret(password);
    }
}

/// Redacts what comes line by line: a key may be longer than a line.
#[derive(Debug, Default)]
pub(crate) struct LineRedactor {
    keys: PemKeys,
}

impl LineRedactor {
    /// A line without what is known by its value or its form, or is found by `find`.
    pub(crate) fn redact_line<'a>(
        &mut self,
        line: &'a str,
        find: impl FnOnce(&str) -> Vec<(usize, usize)>,
    ) -> Cow<'a, str> {
        let mut places = self.keys.find_parts(line);
        places.extend(find_known(line));
        places.extend(find_forms(line));
        places.extend(find(line));
        places.retain(|(begin, end)| begin < end);
        if places.is_empty() {
            return Cow::Borrowed(line);
        }
        places.sort_unstable();
        Cow::Owned(replace_places(line, &places))
    }
}

fn redact_lines(text: &str, find: impl Fn(&str) -> Vec<(usize, usize)>) -> Cow<'_, str> {
    let mut redactor = LineRedactor::default();
    let lines = text.split_inclusive('\n');
    let redacted: Vec<_> = lines
        .map(|line| redactor.redact_line(line, &find))
        .collect();
    if redacted.iter().all(|line| matches!(line, Cow::Borrowed(_))) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(redacted.concat())
}

/// The line with a sign in place of each place; places that overlap are one. They are sorted.
fn replace_places(line: &str, places: &[(usize, usize)]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for (begin, end) in places {
        if *begin >= at {
            text.push_str(&line[at..*begin]);
            text.push_str(REDACTED);
        }
        at = at.max(*end);
    }
    text.push_str(&line[at..]);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Secret;

    #[test]
    fn keys_are_taken_out_whole() {
        let key =
            "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\nEEIA==\n-----END EC PRIVATE KEY-----\nafter\n";
        let expected = "-----BEGIN EC PRIVATE KEY-----\n<redacted>\n<redacted>\n-----END EC PRIVATE KEY-----\nafter\n";
        assert_eq!(redact_text(key), expected);
        let escaped = key.replace('\n', "\\n");
        assert_eq!(
            redact_text(&escaped),
            "-----BEGIN EC PRIVATE KEY-----<redacted>-----END EC PRIVATE KEY-----\\nafter\\n"
        );
        let certificate = "-----BEGIN CERTIFICATE-----\nMHcCAQ\n-----END CERTIFICATE-----\n";
        assert_eq!(redact_text(certificate), certificate);
    }

    #[test]
    fn what_was_noted_is_known_anywhere() {
        let secret = Secret::new("hunter-\"2\"-noted");
        assert_eq!(redact_text("a hunter-\"2\"-noted b"), "a <redacted> b");
        assert_eq!(
            redact_text(r#"{"a":"hunter-\"2\"-noted"}"#),
            r#"{"a":"<redacted>"}"#
        );
        assert_eq!(format!("{secret} {secret:?}"), "<redacted> <redacted>");
        note_document("auth:\n  password: of-a-document\nurl: http://me:of%20a-url@host/");
        assert_eq!(
            redact_text("x of-a-document, of%20a-url"),
            "x <redacted>, <redacted>"
        );
        note_variable("HTTPS_PROXY", "http://me:of-a-proxy@host");
        note_variable("MY_TOKEN", "of-a-variable");
        assert_eq!(
            redact_text("of-a-proxy of-a-variable"),
            "<redacted> <redacted>"
        );
        note_secret("short");
        assert_eq!(redact_text("short"), "short");
    }

    #[test]
    fn documents_lose_what_is_named() {
        let text = "a: b\ntoken: x\npassword = 'y'\n";
        assert_eq!(
            redact_document(text),
            "a: b\ntoken: <redacted>\npassword = '<redacted>'\n"
        );
        assert_eq!(redact_text(text), text);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_second_time_changes_nothing(text in "[a-z:/@.=\"'\\\\{}, \n\u{e9}\u{1f680}-]{0,80}|.{0,60}") {
            let once = redact_document(&text).into_owned();
            prop_assert_eq!(redact_text(&once), redact_text(&once).into_owned());
            let _ = redact_document(&once);
        }
    }
}
