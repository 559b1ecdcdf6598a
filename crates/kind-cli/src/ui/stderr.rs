//! The stream for everything but results.

use std::io::{self, Write};

/// Writes to stderr in one piece; nobody is left to tell if that fails.
pub(super) fn write_error(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
