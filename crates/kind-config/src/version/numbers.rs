//! The numbers that a version begins with.

use super::Error;

/// The leading numbers of a version and what follows them: blanks and one `v` are skipped, and
/// numbers go on as long as a dot is followed by a digit.
pub(super) fn split(text: &str) -> (Vec<&str>, &str) {
    let text = text.trim_start();
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    let mut numbers = Vec::new();
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return (numbers, rest);
        }
        numbers.push(&rest[..digits]);
        rest = &rest[digits..];
        match rest.strip_prefix('.') {
            Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
            _ => return (numbers, rest),
        }
    }
}

/// One of them as a number; `text` is the whole version.
pub(super) fn number(digits: &str, text: &str) -> Result<u64, Error> {
    digits
        .parse()
        .map_err(|_| Error::new(text, "a number in it is too large"))
}
