//! One command as data.

use crate::args::{Flag, Matches, UsageError};
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// What runs a command.
pub(crate) type Action = fn(&Matches, &Context) -> Result<Exit, Failure>;

/// What runs a command that tells of others: it is given the root of all.
pub(crate) type Guide = fn(&'static Command, &Matches, &Context) -> Result<Exit, Failure>;

/// A command: its words for the help, its flags and what runs it.
#[derive(Debug)]
pub(crate) struct Command {
    /// The word that selects it.
    pub(crate) name: &'static str,
    /// One line for lists of commands.
    pub(crate) summary: &'static str,
    /// The text above the usage; the summary if empty.
    pub(crate) about: &'static str,
    /// Positional arguments as the usage line shows them.
    pub(crate) positionals: &'static str,
    /// Flags of its own.
    pub(crate) flags: &'static [Flag],
    /// Which positional arguments it takes.
    pub(crate) rule: ArgRule,
    /// Commands below it.
    pub(crate) children: &'static [&'static Command],
    /// What runs it; a group without one asks for a sub-command.
    pub(crate) action: Option<Action>,
    /// What runs it instead, if it tells of other commands.
    pub(crate) guide: Option<Guide>,
    /// Left out of help.
    pub(crate) hidden: bool,
    /// Everything after its name is a positional argument, flags too.
    pub(crate) verbatim: bool,
}

impl Command {
    /// The child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&'static Command> {
        self.children.iter().copied().find(|c| c.name == name)
    }

    /// A command without flags, arguments and children, as the start of a table entry.
    pub(crate) const fn new(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            about: "",
            positionals: "",
            flags: &[],
            rule: ArgRule::Any,
            children: &[],
            action: None,
            guide: None,
            hidden: false,
            verbatim: false,
        }
    }
}

/// Which positional arguments a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgRule {
    /// Any; what is too much is ignored.
    Any,
    /// None.
    None,
    /// At most so many.
    AtMost(usize),
    /// At least one, with the message when there is none.
    Some(&'static str),
}

impl ArgRule {
    /// Checks positional arguments; `path` is the command's full name for the message.
    pub(crate) fn check_positionals(
        self,
        path: &str,
        positionals: &[String],
    ) -> Result<(), UsageError> {
        match (self, positionals) {
            (Self::None, [first, ..]) => Err(UsageError(format!(
                "unknown command \"{first}\" for \"{path}\""
            ))),
            (Self::AtMost(most), given) if given.len() > most => Err(UsageError(format!(
                "accepts at most {most} arg(s), received {}",
                given.len()
            ))),
            (Self::Some(message), []) => Err(UsageError(message.to_owned())),
            _ => Ok(()),
        }
    }
}
