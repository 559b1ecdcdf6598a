//! `kind help`

use crate::args::{Command, Matches};
use crate::context::Context;
use crate::document::Help;
use crate::exit::{Exit, Failure};
use crate::help::{render_help, render_usage};
use crate::topics::{find_topic, render_topic};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Help provides help for any command in the application.\n\
            Simply type kind help [path to command] for full details.",
    positionals: "[command]",
    guide: Some(print_help),
    ..Command::new("help", "Help about any command")
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn print_help(
    root: &'static Command,
    matches: &Matches,
    context: &Context,
) -> Result<Exit, Failure> {
    let mut path = vec![root];
    for word in &matches.positionals {
        let Some(child) = path.last().and_then(|command| command.child(word)) else {
            break;
        };
        path.push(child);
    }
    let known = path.len() > 1 || matches.positionals.is_empty();
    let topic = matches
        .positionals
        .first()
        .and_then(|word| find_topic(word));
    let text = if known {
        render_help(&path)
    } else if let Some(topic) = topic {
        render_topic(&topic)
    } else {
        format!(
            "Unknown help topic [{}]\n{}",
            matches
                .positionals
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(" "),
            render_usage(&path)
        )
    };
    context.ui.result(&Help { text: text.clone() }, || text);
    Ok(Exit::Success)
}
