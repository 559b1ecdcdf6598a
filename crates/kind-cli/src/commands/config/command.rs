//! `kind config` without a command.

use super::{convert, defaults, schema, validate};
use crate::args::{ArgRule, Command};

/// The table entry.
pub(in crate::commands) static COMMAND: Command = Command {
    about: "Works on config files without making anything",
    rule: ArgRule::None,
    children: &[
        &convert::COMMAND,
        &defaults::COMMAND,
        &schema::COMMAND,
        &validate::COMMAND,
    ],
    ..Command::new(
        "config",
        "Works on config files: one of [convert, defaults, schema, validate]",
    )
};
