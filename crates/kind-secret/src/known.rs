//! Secrets that were noted when they were read or made.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What stands where a secret stood.
pub const REDACTED: &str = "<redacted>";
/// Values that are known, the longest first: one may be a part of another.
static KNOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// A shorter value stands in any text; it is kept out by the places where it comes from.
const SHORTEST: usize = 8;

/// Notes a value that no log and no message may hold from now on.
pub fn note_secret(value: &str) {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    for form in [value, &escaped] {
        let mut known = lock_known();
        if form.len() >= SHORTEST && !known.iter().any(|known| known == form) {
            known.push(form.to_owned());
            known.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }
}

/// Where noted values stand in a line, as ranges of bytes.
pub(crate) fn find_known(line: &str) -> Vec<(usize, usize)> {
    let known = lock_known();
    let places = known.iter().flat_map(|value| {
        let found = line.match_indices(value.as_str());
        found.map(|(begin, value)| (begin, begin + value.len()))
    });
    places.collect()
}

fn lock_known() -> MutexGuard<'static, Vec<String>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text that nobody may see. It is noted when it is made, and prints as what it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes a text a secret.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        note_secret(&text);
        Self(text)
    }

    /// The text, for whoever is to get it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}
