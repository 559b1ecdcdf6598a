//! The stream for everything but results.

use std::io::{self, Write};

use kind::redact_text;

/// Writes to stderr in one piece, whatever it is without secrets; nobody is left to tell if that fails.
pub(super) fn write_error(text: &str) {
    let _ = io::stderr().lock().write_all(redact_text(text).as_bytes());
}
