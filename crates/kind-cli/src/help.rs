//! Help texts, made from the tables of commands and flags.

use std::fmt::Write;

use crate::args::{Command, Flag, Kind};
use crate::global_flags::GLOBAL_FLAGS;

const HELP: Flag = Flag::switch("help", "").short('h');

/// Every flag that the last command of `path` understands.
pub(crate) fn flags_of(path: &[&'static Command]) -> Vec<Flag> {
    let own = path.last().map_or(&[][..], |command| command.flags);
    let mut flags = own.to_vec();
    flags.push(HELP);
    flags.extend_from_slice(GLOBAL_FLAGS);
    flags
}

/// The help of the last command of `path`.
pub(crate) fn render_help(path: &[&'static Command]) -> String {
    let Some(command) = path.last() else {
        return String::new();
    };
    let about = match command.about {
        "" => command.summary,
        about => about,
    };
    format!("{}\n\n{}", about.trim_end(), render_usage(path))
}

/// The part of the help from `Usage:` on.
pub(crate) fn render_usage(path: &[&'static Command]) -> String {
    let names: Vec<_> = path.iter().map(|command| command.name).collect();
    let name = names.join(" ");
    let Some(command) = path.last() else {
        return String::new();
    };
    let is_root = path.len() == 1;
    let mut text = String::from("Usage:\n");
    if !is_root {
        let positionals = match command.positionals {
            "" => String::new(),
            positionals => format!(" {positionals}"),
        };
        text.push_str(&format!("  {name}{positionals} [flags]\n"));
    }
    if !command.children.is_empty() {
        text.push_str(&format!("  {name} [command]\n"));
        text.push_str(&format!(
            "\nAvailable Commands:\n{}",
            render_commands(command)
        ));
    }
    let mut local = command.flags.to_vec();
    local.push(HELP);
    if is_root {
        local.extend_from_slice(GLOBAL_FLAGS);
    }
    text.push_str(&format!("\nFlags:\n{}", render_flags(&local, command.name)));
    if !is_root {
        text.push_str(&format!(
            "\nGlobal Flags:\n{}",
            render_flags(GLOBAL_FLAGS, "")
        ));
    }
    if !command.children.is_empty() {
        text.push_str(&format!(
            "\nUse \"{name} [command] --help\" for more information about a command.\n"
        ));
    }
    text
}

/// One line for each child, sorted by name.
fn render_commands(command: &Command) -> String {
    const NARROWEST: usize = 11;
    let mut children: Vec<_> = command
        .children
        .iter()
        .filter(|child| !child.hidden)
        .collect();
    children.sort_by_key(|child| child.name);
    let width = children.iter().map(|child| child.name.len()).max();
    let width = width.unwrap_or(0).max(NARROWEST);
    let mut text = String::new();
    for child in children {
        let _ = writeln!(text, "  {:width$} {}", child.name, child.summary);
    }
    text
}

/// One line for each flag, sorted by name.
fn render_flags(flags: &[Flag], command: &str) -> String {
    let mut flags = flags.to_vec();
    flags.sort_by_key(|flag| flag.name);
    let heads: Vec<_> = flags.iter().map(flag_head).collect();
    let width = heads.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (flag, head) in flags.iter().zip(heads) {
        let words = match flag.name {
            "help" => format!("help for {command}"),
            _ => format!("{}{}", flag.help, default(flag)),
        };
        let _ = writeln!(text, "{head:width$}   {words}");
    }
    text
}

fn flag_head(flag: &Flag) -> String {
    let short = match flag.short {
        Some(short) => format!("-{short}, "),
        None => "    ".to_owned(),
    };
    let kind = match flag.kind {
        Kind::Bool => "",
        Kind::Int32 => " int32",
        Kind::String | Kind::OneOf(_) => " string",
        Kind::Duration => " duration",
        Kind::Strings => " strings",
    };
    format!("  {short}--{}{kind}", flag.name)
}

fn default(flag: &Flag) -> String {
    match (flag.default, flag.kind) {
        ("", _) => String::new(),
        (default, Kind::String | Kind::OneOf(_)) => format!(" (default \"{default}\")"),
        (default, _) => format!(" (default {default})"),
    }
}
