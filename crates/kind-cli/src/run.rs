//! One run of the command, from its words to its exit code.

use crate::args::{self, Flag, Found, Kind, Matches};
use crate::commands;
use crate::context::Context;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::help;
use crate::ui::{Settings, Ui};

/// Flags that every command knows.
pub(crate) const GLOBAL_FLAGS: &[Flag] = &[
    Flag::text(
        "provider",
        "where nodes run: native, docker, podman or nerdctl, overrides KIND_EXPERIMENTAL_PROVIDER",
    ),
    Flag::switch("quiet", "silence all stderr output").short('q'),
    Flag::new(
        "verbosity",
        Kind::Int32,
        "info log verbosity, higher value produces more output",
    )
    .short('v'),
];

/// Runs the command with these words and reports what went wrong.
pub(crate) fn run(words: &[String]) -> Exit {
    let environment = Environment::of_process();
    let mut settings = Settings::detect(&environment);
    settings.quiet = args::is_quiet(words);
    let (found, matches) = match understand(words) {
        Ok(understood) => understood,
        Err(failure) => return report(&Ui::new(settings), &failure),
    };
    settings.verbosity = matches.number("verbosity").unwrap_or(0);
    let context = Context::new(environment, Ui::new(settings));
    context.ui.show_diagnostics();
    match act(&found, &matches, &context) {
        Ok(exit) => exit,
        Err(failure) => report(&context.ui, &failure),
    }
}

fn understand(words: &[String]) -> Result<(Found, Matches), Failure> {
    let found = args::find(&commands::ROOT, GLOBAL_FLAGS, words)?;
    if found.command().verbatim {
        let matches = Matches::of_positionals(found.arguments.clone());
        return Ok((found, matches));
    }
    let flags = help::flags_of(&found.path);
    let matches = args::parse(&flags, &found.arguments)?;
    Ok((found, matches))
}

fn act(found: &Found, matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let command = found.command();
    if matches.switch("help") {
        context.ui.data(&help::render(&found.path));
        return Ok(Exit::Success);
    }
    command.rule.check(&found.name(), &matches.positionals)?;
    match command.action {
        Some(action) => action(matches, context),
        None => {
            context.ui.data(&help::render(&found.path));
            Err(Failure::Message("Subcommand is required".to_owned()))
        }
    }
}

fn report(ui: &Ui, failure: &Failure) -> Exit {
    ui.failure(failure);
    failure.exit()
}
