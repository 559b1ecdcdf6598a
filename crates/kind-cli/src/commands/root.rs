//! `kind` without a command.

use super::groups::{BUILD, CREATE, DELETE, EXPORT, GET, LOAD, START, STOP};
use super::{completion, config, doctor, explain, help, prune, version};
use crate::args::{Command, Flag, Matches};
use crate::context::Context;
use crate::document::Help;
use crate::exit::{Exit, Failure};
use crate::help::render_help;

/// The root of all commands.
pub(crate) static ROOT: Command = Command {
    about: "kind creates and manages local Kubernetes clusters whose nodes are containers",
    flags: &[Flag::switch("version", "version for kind")],
    children: &[
        &BUILD,
        &completion::COMMAND,
        &completion::COMPLETE,
        &completion::COMPLETE_NO_DESCRIPTIONS,
        &config::COMMAND,
        &CREATE,
        &DELETE,
        &doctor::COMMAND,
        &explain::COMMAND,
        &EXPORT,
        &GET,
        &help::COMMAND,
        &LOAD,
        &prune::COMMAND,
        &START,
        &STOP,
        &version::COMMAND,
    ],
    action: Some(run),
    ..Command::new("kind", "")
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    if matches.switch("version") {
        let text = || format!("kind version {}\n", version::version_number());
        context.ui.result(&version::version_document(), text);
    } else {
        let text = render_help(&[&ROOT]);
        context.ui.result(&Help { text: text.clone() }, || text);
    }
    Ok(Exit::Success)
}
