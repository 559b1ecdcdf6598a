//! Secrets that are known by the name before them, in documents and command lines.

use crate::known::REDACTED;

/// How names of secrets end, without signs between words.
const ENDINGS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "certificatekey",
    "clientkeydata",
    "credential",
    "credentials",
];
/// Whole names of secrets.
const NAMES: [&str; 2] = ["auth", "authorization"];
/// Values that say whether, and are no secret.
const NO_SECRETS: [&str; 8] = ["true", "false", "null", "none", "~", "|", ">", "|-"];

/// Whether what is called so is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    let ends = |ending: &str| words.ends_with(ending);
    ENDINGS.iter().any(|ending| ends(ending))
        || NAMES.contains(&words.as_str())
        || lower.ends_with("_auth")
}

/// Where values with names of secrets stand in a line, as ranges of bytes.
pub(crate) fn find_named(line: &str) -> Vec<(usize, usize)> {
    let separators = line
        .char_indices()
        .filter(|(_, c)| matches!(c, '=' | ':' | ' '));
    let values = separators.filter_map(|(at, separator)| match separator {
        '=' => assigned_value(line, at),
        ':' => entry_value(line, at),
        _ => argument_value(line, at),
    });
    values
        .filter(|(begin, end)| is_value(&line[*begin..*end]))
        .collect()
}

fn is_value(text: &str) -> bool {
    let text = text.trim_end_matches(',');
    // What opens a list or an object is none; what stands in it has names of its own.
    !text.is_empty()
        && !NO_SECRETS.contains(&text)
        && !text.starts_with(['[', '{'])
        && !text.starts_with(REDACTED)
}

/// The value of `NAME=value`, `--name=value` or `name = "value"`.
fn assigned_value(line: &str, at: usize) -> Option<(usize, usize)> {
    let (name, _) = name_before(line, at);
    is_secret_name(name).then(|| value_after(line, at + 1, |c| c.is_whitespace()))
}

/// The value of an entry of YAML or JSON, which begins a line, numbered or not, or follows another one.
fn entry_value(line: &str, at: usize) -> Option<(usize, usize)> {
    let (name, begin) = name_before(line, at);
    if !is_secret_name(name) {
        return None;
    }
    let before = line[..begin].trim_end_matches(is_quote);
    let flow = before.trim_end().ends_with(['{', ',']);
    let starts = before
        .chars()
        .all(|c| c.is_whitespace() || c.is_ascii_digit() || "-|".contains(c));
    let in_flow = before.contains('{');
    let ends = move |c: char| in_flow && matches!(c, ',' | '}');
    (flow || starts).then(|| value_after(line, at + 1, ends))
}

/// The value that follows `--name` as the next word.
fn argument_value(line: &str, at: usize) -> Option<(usize, usize)> {
    let end = line[..at]
        .trim_end_matches(|c| is_quote(c) || c == ',')
        .len();
    let (name, begin) = name_before(line, end);
    let is_flag = name.starts_with("--") && is_secret_name(name);
    let next = line[at..].trim_start_matches(|c| is_quote(c) || c == ' ');
    (begin < end && is_flag && !next.starts_with('-'))
        .then(|| value_after(line, at + 1, char::is_whitespace))
}

/// The name that ends there, whatever quotes and spaces follow it, and where it begins.
fn name_before(line: &str, end: usize) -> (&str, usize) {
    let text = line[..end].trim_end().trim_end_matches(is_quote);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let begin = text.trim_end_matches(is_name).len();
    (&text[begin..], begin)
}

/// Where a value begins and ends: at its quote if it has one.
fn value_after(line: &str, at: usize, ends: impl Fn(char) -> bool) -> (usize, usize) {
    let line = line.trim_end();
    let rest = line.get(at..).unwrap_or_default();
    let begin = line.len() - rest.trim_start().len();
    let value = &line[begin..];
    let quoted = value.trim_start_matches('\\');
    let Some(quote) = quoted.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let is_end = |c: char| ends(c) || c == '"';
        let length = value.find(is_end).unwrap_or(value.len());
        return (begin, begin + value[..length].trim_end().len());
    };
    let begin = begin + (value.len() - quoted.len()) + 1;
    (begin, begin + quoted_length(&line[begin..], quote))
}

/// How long a text is until its quote ends it. Where the quotes themselves are escaped, so is that one.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices() {
        if c == quote && !escaped {
            return place;
        }
        if c == quote {
            let rest = &text[place + 1..];
            let ends =
                rest.trim_start().is_empty() || rest.trim_start().starts_with([',', '}', ':', ']']);
            if ends {
                return place - 1;
            }
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for (line, secrets) in [
            ("DB_PASSWORD=a,b c", &["a,b"][..]),
            ("[\"-e\", \"API_TOKEN=x y\", \"-e\", \"HOME=/\"]", &["x"]),
            ("  password = \"p w\"", &["p w"]),
            ("kubeadm join --token abc --x y", &["abc"]),
            ("[\"--certificate-key\", \"abc\"]", &["abc"]),
            ("  token: a b\n", &["a b"]),
            ("- token: 'x'", &["x"]),
            ("{name: a, token: t, b: c}", &["t"]),
            (
                "{\"auths\":{\"r\":{\"auth\":\"dTpw\",\"email\":\"e\"}}}",
                &["dTpw"],
            ),
            ("{\\\"identitytoken\\\":\\\"i\\\"}", &["i"]),
            ("client-key-data: abc", &["abc"]),
            ("  \"Token\": null,", &[]),
            ("  \"Credentials\": [", &[]),
            ("auth = {username = \"u\", password = \"p\"}", &["p"]),
            (" 16 | - token: abc", &["abc"]),
            ("automountServiceAccountToken: false", &[]),
            ("failed to get token: it is gone", &[]),
            (
                "--skip-token-print --token-ttl=1h --discovery-token-ca-cert-hash x",
                &[],
            ),
            ("secretName: a", &[]),
            ("kind: Secret", &[]),
            ("--token --x", &[]),
            ("token:", &[]),
        ] {
            let found: Vec<_> = find_named(line)
                .into_iter()
                .map(|(begin, end)| &line[begin..end])
                .collect();
            assert_eq!(found, secrets, "{line}");
        }
    }
}
