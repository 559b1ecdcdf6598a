//! Config files as the user names them.

use std::io::{ErrorKind, Read};

use kind::config::Source;

use crate::exit::Failure;

/// Reads a config file; `-` is stdin.
///
/// # Errors
/// It cannot be read, in Go's words.
pub(crate) fn read_source(path: &str) -> Result<Source, Failure> {
    if path != "-" {
        return Ok(Source::new(path, read_text(path)?));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| unreadable("read", "/dev/stdin", &error))?;
    Ok(Source::new("stdin", text))
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, in Go's words.
pub(crate) fn read_text(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let verb = match error.kind() {
            ErrorKind::IsADirectory => "read",
            _ => "open",
        };
        unreadable(verb, path, &error)
    })
}

fn unreadable(verb: &str, path: &str, error: &std::io::Error) -> Failure {
    let reason = match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    };
    Failure::File(format!("error reading file: {verb} {path}: {reason}"))
}
