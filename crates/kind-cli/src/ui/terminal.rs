//! What the user's terminal can do, and how much they want to see.

use std::io::IsTerminal;

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
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings {
    /// Nothing is written to stderr.
    pub(crate) quiet: bool,
    /// Messages of up to this level are shown.
    pub(crate) verbosity: i32,
    /// stderr is a terminal that moves and colours.
    pub(crate) smart: bool,
    /// For whom everything is written.
    pub(crate) format: Format,
}

impl Settings {
    /// What fits the surroundings, with the default verbosity.
    pub(crate) fn detect(environment: &Environment) -> Self {
        Self {
            smart: is_smart(std::io::stderr().is_terminal(), environment),
            ..Self::default()
        }
    }
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
