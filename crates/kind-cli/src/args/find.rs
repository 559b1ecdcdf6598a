//! Which command a command line means.

use crate::args::suggest::suggest_commands;
use crate::args::{Command, Flag, UsageError};

/// The command a command line means.
#[derive(Debug)]
pub(crate) struct Found {
    /// The commands from the root to it.
    pub(crate) path: Vec<&'static Command>,
    /// Everything else of the command line.
    pub(crate) arguments: Vec<String>,
}

impl Found {
    /// The command itself.
    pub(crate) fn command(&self) -> &'static Command {
        self.path.last().expect("a path starts with the root")
    }

    /// Its full name, for example `kind get clusters`.
    pub(crate) fn name(&self) -> String {
        let names: Vec<_> = self.path.iter().map(|command| command.name).collect();
        names.join(" ")
    }
}

/// Walks from `root` along the words that name commands. `globals` are known everywhere.
///
/// A flag that is not known yet is taken to have a value: it may belong to a command further on.
pub(crate) fn find_command(
    root: &'static Command,
    globals: &[Flag],
    arguments: &[String],
) -> Result<Found, UsageError> {
    let mut found = Found {
        path: vec![root],
        arguments: arguments.to_vec(),
    };
    while let Some(index) = first_word(found.command(), globals, &found.arguments) {
        let Some(child) = found.command().child(&found.arguments[index]) else {
            break;
        };
        found.path.push(child);
        found.arguments.remove(index);
    }
    if found.path.len() == 1 {
        reject_unknown_word(&found, globals)?;
    }
    Ok(found)
}

fn reject_unknown_word(found: &Found, globals: &[Flag]) -> Result<(), UsageError> {
    let root = found.command();
    let Some(index) = first_word(root, globals, &found.arguments) else {
        return Ok(());
    };
    let word = &found.arguments[index];
    let mut message = format!("unknown command \"{word}\" for \"{}\"", root.name);
    let near = suggest_commands(root, word);
    if !near.is_empty() {
        message.push_str("\n\nDid you mean this?\n");
        for name in near {
            message.push_str(&format!("\t{name}\n"));
        }
    }
    Err(UsageError(message))
}

/// The place of the first argument that is neither a flag nor the value of one.
fn first_word(command: &Command, globals: &[Flag], arguments: &[String]) -> Option<usize> {
    let known = || command.flags.iter().chain(globals);
    let mut index = 0;
    while let Some(argument) = arguments.get(index) {
        if argument == "--" {
            return None;
        }
        let takes_next = if let Some(name) = argument.strip_prefix("--") {
            !name.contains('=') && !known().any(|flag| flag.name == name && flag.stands_alone())
        } else if let Some(group) = argument.strip_prefix('-') {
            let mut letters = group.chars();
            let alone = letters.next().filter(|_| letters.next().is_none());
            alone.is_some_and(|letter| {
                !known().any(|flag| flag.short == Some(letter) && flag.stands_alone())
            })
        } else if argument.is_empty() {
            false
        } else {
            return Some(index);
        };
        index += if takes_next { 2 } else { 1 };
    }
    None
}
