//! Secrets that are known by their form, whoever wrote the text.

/// What ends the part of a URL that names user and host.
const URL_ENDS: &[char] = &[
    '/', '?', '#', '"', '\'', '<', '>', '\\', ' ', '\t', ',', '`', '|',
];
/// How base64 of a private key begins, in each of its three forms.
const KEY_BEGINS: [&str; 3] = [
    "LS0tLS1CRUdJTiBQUklWQVRF",
    "LS0tLS1CRUdJTiBSU0EgUFJJ",
    "LS0tLS1CRUdJTiBFQyBQUklW",
];
/// How many characters the two parts of a bootstrap token have.
const TOKEN_PARTS: (usize, usize) = (6, 16);

/// Where secrets stand in a line, as ranges of bytes.
pub(crate) fn find_forms(line: &str) -> Vec<(usize, usize)> {
    let mut places = find_logins(line);
    places.extend(find_encoded_keys(line));
    places.extend(find_tokens(line));
    places
}

/// Who a URL logs in as: `user:password` before its host.
fn find_logins(line: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (sign, separator) in line.match_indices("://") {
        let begin = sign + separator.len();
        let authority = &line[begin..];
        let authority = authority
            .find(URL_ENDS)
            .map_or(authority, |end| &authority[..end]);
        if let Some(length) = authority.rfind('@').filter(|length| *length > 0) {
            places.push((begin, begin + length));
        }
    }
    places
}

fn find_encoded_keys(line: &str) -> Vec<(usize, usize)> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let begins = KEY_BEGINS
        .iter()
        .flat_map(|begin| line.match_indices(begin));
    let places = begins.map(|(begin, _)| {
        let rest = &line[begin..];
        let length = rest.find(|c| !is_base64(c)).unwrap_or(rest.len());
        (begin, begin + length)
    });
    places.collect()
}

/// Bootstrap tokens. Names of objects and files may look the same, but have no digit behind the dot.
fn find_tokens(line: &str) -> Vec<(usize, usize)> {
    let bytes = line.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut places = Vec::new();
    for (dot, _) in line.match_indices('.') {
        let before = bytes[..dot]
            .iter()
            .rev()
            .take_while(|byte| is_part(byte))
            .count();
        let after = bytes[dot + 1..]
            .iter()
            .take_while(|byte| is_part(byte))
            .count();
        let end = dot + 1 + after;
        let has_digit = bytes[dot + 1..end].iter().any(u8::is_ascii_digit);
        // A part of a longer name is none.
        let continues = bytes.get(end).is_some_and(|next| b"-_.".contains(next))
            && bytes.get(end + 1).is_some_and(is_part);
        if (before, after) == TOKEN_PARTS && has_digit && !continues {
            places.push((dot - before, end));
        }
    }
    places
}

/// Private keys in the form of PEM, over lines.
#[derive(Debug, Default)]
pub(crate) struct PemKeys {
    /// How many lines of a key may follow; none outside of one.
    left: usize,
}

impl PemKeys {
    /// Where a part of a key stands in the next line.
    pub(crate) fn find_parts(&mut self, line: &str) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        let mut at = 0;
        self.left = self.left.saturating_sub(1);
        loop {
            if self.left > 0 {
                let rest = &line[at..];
                let Some(end) = rest.find(KEY_END) else {
                    places.push((at, at + rest.trim_end_matches(['\r', '\n']).len()));
                    return places;
                };
                places.push((at, at + end));
                self.left = 0;
                // The last line ends as the first one does.
                let last = &rest[end..];
                at += end
                    + last
                        .find(KEY_BEGIN)
                        .map_or(last.len(), |sign| sign + KEY_BEGIN.len());
            }
            let Some(begin) = line[at..].find(KEY_BEGIN) else {
                return places;
            };
            at += begin + KEY_BEGIN.len();
            self.left = MOST_LINES;
        }
    }
}

/// No key has more: a text that only tells of one does not take everything after it along.
const MOST_LINES: usize = 200;
/// Ends the first line of a key, whatever kind of key it is, and no certificate's.
const KEY_BEGIN: &str = "PRIVATE KEY-----";
/// Begins the last line.
const KEY_END: &str = "-----END";

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<&str> {
        find_forms(line)
            .into_iter()
            .map(|(begin, end)| &line[begin..end])
            .collect()
    }

    #[test]
    fn secrets_are_known_by_their_form() {
        let key = "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1JR0g=";
        let data = format!("client-key-data: {key}");
        let in_json = format!("{{\"key\":\"{key}\"}}");
        for (line, secrets) in [
            ("http://me:secret@proxy.test:3128/", &["me:secret"][..]),
            (
                "\"https://ghp_x@github.test/a@b\", \"http://host/\"",
                &["ghp_x"],
            ),
            ("a http://a:p@x,http://b:q@y", &["a:p", "b:q"]),
            ("http://@host ssh git@host https://host/@x", &[]),
            (
                "token abcdef.0123456789abcdef.",
                &["abcdef.0123456789abcdef"],
            ),
            (
                "--token=abcdef.0123456789abcdef\n",
                &["abcdef.0123456789abcdef"],
            ),
            ("system.containerdservice abcdef.0123456789abcde", &[]),
            (
                "aabcdef.0123456789abcdef abcdef.0123456789abcdef-x.test",
                &[],
            ),
            (&data, &[key]),
            (&in_json, &[key]),
            ("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t", &[]),
        ] {
            assert_eq!(found(line), secrets, "{line}");
        }
    }
}
