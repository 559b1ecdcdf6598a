//! Boot messages in the form that tools which read a node's log look for.

use std::fmt::Display;
use std::io::Write;

/// Tells what is being done.
pub(crate) fn info(message: impl Display) {
    write_line("INFO", &message);
}

/// Tells of something that may do harm later.
pub(crate) fn warn(message: impl Display) {
    write_line("WARN", &message);
}

/// Tells why something does not work.
pub(crate) fn error(message: impl Display) {
    write_line("ERROR", &message);
}

fn write_line(level: &str, message: &dyn Display) {
    // A node boots without anyone who listens.
    let _ = writeln!(std::io::stderr(), "{level}: {message}");
}
