//! The `kind` command: words of the command line, and what the user sees.
#![forbid(unsafe_code)]

mod agent;
mod args;
mod commands;
mod config_file;
mod context;
mod directories;
mod document;
mod environment;
mod exit;
mod global_flags;
mod help;
mod interrupt;
mod leaving;
mod run;
mod topics;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    // Nodes of the native engine are watched by this program started anew; that comes before all
    // else because such a process must not have threads or handlers of the command.
    if let Some(code) = kind::helper_main(&arguments) {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    let words = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    ExitCode::from(run::run_words(&words.collect::<Vec<_>>()).code())
}
