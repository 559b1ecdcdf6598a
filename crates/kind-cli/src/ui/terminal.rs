//! What the user's terminal can do, and how much they want to see.

use std::io::IsTerminal;

use kind::{Charset, Chart};

use crate::environment::Environment;

/// For whom the command writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// People.
    #[default]
    Text,
    /// Programs.
    Json,
}

/// How the user is told things.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Nothing is written to stderr.
    pub(crate) quiet: bool,
    /// Messages of up to this level are shown.
    pub(crate) verbosity: i32,
    /// stderr is a terminal that moves and colours.
    pub(crate) smart: bool,
    /// For whom everything is written.
    pub(crate) format: Format,
    /// For whom diagnostic lines are written, where everything else is for people.
    pub(crate) log_format: Format,
    /// How charts are drawn.
    pub(crate) chart: Chart,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            quiet: false,
            verbosity: 0,
            smart: false,
            format: Format::Text,
            log_format: Format::Text,
            chart: Chart::new(ANY_WIDTH, Charset::Ascii),
        }
    }
}

/// As wide as whatever stderr is may be taken to be.
const ANY_WIDTH: usize = 80;

impl Settings {
    /// What fits the surroundings, with the default verbosity.
    pub(crate) fn detect(environment: &Environment) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            smart: is_smart(terminal, environment),
            chart: chart_for(terminal, environment),
            ..Self::default()
        }
    }
}

fn chart_for(terminal: bool, environment: &Environment) -> Chart {
    let charset = if terminal && knows_unicode(environment) {
        Charset::Unicode
    } else {
        Charset::Ascii
    };
    Chart::new(terminal_width().unwrap_or(ANY_WIDTH), charset)
}

/// Whether the locale says that text is UTF-8; on Windows every terminal takes that.
fn knows_unicode(environment: &Environment) -> bool {
    let variables = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = variables
        .into_iter()
        .find_map(|name| environment.text_variable(name));
    let locale = locale.unwrap_or_default().to_lowercase();
    cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8")
}

/// How many columns the terminal on stderr has, if it is one that tells.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

fn is_smart(terminal: bool, environment: &Environment) -> bool {
    let is = |name: &str, value: &str| environment.text_variable(name) == Some(value);
    // One service shows a terminal that cannot move; this pair of variables is how it is known.
    let faked = is("TRAVIS", "true") && is("HAS_JOSH_K_SEAL_OF_APPROVAL", "true");
    terminal
        && environment.raw("NO_COLOR").is_none()
        && !is("TERM", "dumb")
        && !is("TERM", "st-256color")
        && (!cfg!(windows) || environment.text_variable("WT_SESSION").is_some())
        && !faked
}

#[cfg(test)]
#[cfg(not(windows))]
mod tests {
    use super::*;

    #[test]
    fn charts_are_drawn_with_what_the_terminal_has() {
        for (terminal, variables, expected) in [
            (true, [("LANG", "C.UTF-8")], Charset::Unicode),
            (true, [("LC_ALL", "de_DE.utf8")], Charset::Unicode),
            (true, [("LANG", "C")], Charset::Ascii),
            (false, [("LANG", "C.UTF-8")], Charset::Ascii),
        ] {
            let environment = Environment::from_variables(variables);
            let width = terminal_width().unwrap_or(ANY_WIDTH);
            assert_eq!(
                chart_for(terminal, &environment),
                Chart::new(width, expected)
            );
        }
    }

    #[test]
    fn dumb_surroundings_are_known() {
        assert!(is_smart(
            true,
            &Environment::from_variables([("TERM", "xterm")])
        ));
        assert!(is_smart(
            true,
            &Environment::from_variables([("TRAVIS", "true")])
        ));
        assert!(!is_smart(false, &Environment::from_variables([])));
        for variables in [
            [("NO_COLOR", "")],
            [("TERM", "dumb")],
            [("TERM", "st-256color")],
        ] {
            assert!(
                !is_smart(true, &Environment::from_variables(variables)),
                "{variables:?}"
            );
        }
        let pair = [("TRAVIS", "true"), ("HAS_JOSH_K_SEAL_OF_APPROVAL", "true")];
        assert!(!is_smart(true, &Environment::from_variables(pair)));
    }
}
