//! The order of keys in written documents.

use std::cmp::Ordering;

/// Compares keys as people would: signs before numbers before letters, numbers by their value, so
/// that `node2` comes before `node10`. Kubernetes' tools do the same.
pub(super) fn compare_keys(left: &str, right: &str) -> Ordering {
    tokens(left).cmp(tokens(right))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    Sign(char),
    Number(Number<'a>),
    Letter(char),
}

/// Digits, compared by value; of equal values the one with fewer zeros in front comes first.
#[derive(PartialEq, Eq)]
struct Number<'a>(&'a str);

impl Number<'_> {
    fn key(&self) -> (usize, &str, usize) {
        let significant = self.0.trim_start_matches('0');
        (significant.len(), significant, self.0.len())
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn tokens(mut text: &str) -> impl Iterator<Item = Token<'_>> {
    std::iter::from_fn(move || {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let first = text.chars().next()?;
        let length = if digits > 0 { digits } else { first.len_utf8() };
        let (token, rest) = text.split_at(length);
        text = rest;
        Some(if digits > 0 {
            Token::Number(Number(token))
        } else if first.is_alphabetic() {
            Token::Letter(first)
        } else {
            Token::Sign(first)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_people_do() {
        let ordered = [
            "",
            "-",
            "1",
            "01",
            "2",
            "10",
            "A",
            "a",
            "a-b",
            "a.b",
            "a1",
            "a2",
            "a2b",
            "a10",
            "aa",
            "apiVersion",
            "current-context",
            "kind",
            "é",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(compare_keys(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }
}
