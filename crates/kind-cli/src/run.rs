//! One run of the command, from its words to its exit code.

use crate::args::{self, Found, Matches, UsageError};
use crate::commands;
use crate::context::Context;
use crate::document::Help;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::global_flags::GLOBAL_FLAGS;
use crate::help;
use crate::ui::{Format, Settings, Ui};

/// Runs the command with these words and reports what went wrong.
pub(crate) fn run_words(words: &[String]) -> Exit {
    let environment = Environment::of_process();
    let mut settings = Settings::detect(&environment);
    settings.quiet = args::is_quiet(words);
    if args::wants_json(words) {
        settings.format = Format::Json;
    }
    let (found, matches) = match understand_words(words) {
        Ok(understood) => understood,
        Err(failure) => {
            return report_failure(&Ui::new(settings), &explain_outdated(failure, words));
        }
    };
    settings.verbosity = matches.number("verbosity").unwrap_or(0);
    if matches.text_flag("log-format") == Some("json") {
        settings.log_format = Format::Json;
    }
    let context = Context::new(environment, Ui::new(settings));
    context.ui.show_diagnostics();
    context.listen_for_interrupts(&matches);
    match run_command(&found, &matches, &context) {
        Ok(exit) => exit,
        Err(failure) => report_failure(&context.ui, &explain_outdated(failure, words)),
    }
}

fn understand_words(words: &[String]) -> Result<(Found, Matches), Failure> {
    let found = args::find_command(&commands::ROOT, GLOBAL_FLAGS, words)?;
    if found.command().verbatim {
        let matches = Matches::of_positionals(found.arguments.clone());
        return Ok((found, matches));
    }
    let flags = help::flags_of(&found.path);
    let matches = args::parse_arguments(&flags, &found.arguments)?;
    Ok((found, matches))
}

fn run_command(found: &Found, matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let command = found.command();
    if matches.switch("help") {
        show_help(found, context);
        return Ok(Exit::Success);
    }
    command
        .rule
        .check_positionals(&found.name(), &matches.positionals)?;
    if let Some(guide) = command.guide {
        return guide(&commands::ROOT, matches, context);
    }
    match command.action {
        Some(action) => action(matches, context),
        None => {
            show_help(found, context);
            Err(UsageError("Subcommand is required".to_owned()).into())
        }
    }
}

/// Says what took the place of something that older releases had, if that is what is wrong.
fn explain_outdated(failure: Failure, words: &[String]) -> Failure {
    match (failure, args::find_replacement(words)) {
        (Failure::Usage(error), Some(remedy)) => Failure::Outdated { error, remedy },
        (failure, _) => failure,
    }
}

fn show_help(found: &Found, context: &Context) {
    let text = help::render_help(&found.path);
    context.ui.result(&Help { text: text.clone() }, || text);
}

fn report_failure(ui: &Ui, failure: &Failure) -> Exit {
    ui.failure(failure);
    failure.exit()
}
