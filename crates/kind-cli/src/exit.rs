//! How a command ends.

use kind::{Code, error_chain};

use crate::args::UsageError;

/// Exit codes of the command. Scripts rely on 0 and 1; nothing else says that something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked to.
    Success,
    /// It failed, or could not understand its command line.
    Failure,
    /// The user interrupted it.
    Interrupted,
}

impl Exit {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Interrupted];

    /// What it tells a script.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Success => "The command did what it was asked to.",
            Self::Failure => "It failed, or its command line is wrong.",
            Self::Interrupted => "It was interrupted, by Ctrl-C (SIGINT), SIGTERM or SIGHUP.",
        }
    }

    /// The number for the operating system.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(UsageError),
    /// The command line is one of an older release.
    Outdated {
        /// What is wrong with it.
        error: UsageError,
        /// What to use now.
        remedy: &'static str,
    },
    /// The library failed; `action` stands before its words.
    Operation {
        /// For example `failed to create cluster`; may be empty.
        action: String,
        /// What the library said.
        error: kind::Error,
    },
    /// The user did not want to wait for the command's end.
    Left {
        /// What there may be of it.
        left: Vec<String>,
        /// What to do about each.
        remedies: Vec<String>,
    },
    /// A file that the user named cannot be read, in words.
    File(String),
    /// Something else, in words.
    Message(String),
}

impl Failure {
    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Left { .. } => Exit::Interrupted,
            Self::Operation { error, .. } if error.is_cancelled() => Exit::Interrupted,
            _ => Exit::Failure,
        }
    }

    /// What failed and why, in one line unless a part of it has several.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Usage(error) | Self::Outdated { error, .. } => error.to_string(),
            Self::File(text) | Self::Message(text) => text.clone(),
            Self::Left { left, .. } if left.is_empty() => "interrupted".to_owned(),
            Self::Left { left, .. } => format!(
                "interrupted and left at once; there may be {}",
                left.join(", ")
            ),
            Self::Operation { action, error } if action.is_empty() => error_chain(error),
            Self::Operation { action, error } => format!("{action}: {}", error_chain(error)),
        }
    }

    /// What kind of failure it is.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Usage(_) | Self::Outdated { .. } => Code::Usage,
            Self::File(_) => Code::Io,
            Self::Message(_) => Code::Command,
            Self::Left { .. } => Code::Cancelled,
            Self::Operation { error, .. } => error.code(),
        }
    }

    /// What to do about it, if that is known.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::Outdated { remedy, .. } => Some((*remedy).to_owned()),
            Self::Left { remedies, .. } if !remedies.is_empty() => Some(remedies.join("\n")),
            _ => self.error()?.remedy(),
        }
    }

    /// What the library said, if it was the library that failed.
    pub(crate) fn error(&self) -> Option<&kind::Error> {
        match self {
            Self::Operation { error, .. } => Some(error),
            Self::Usage(_)
            | Self::Outdated { .. }
            | Self::Left { .. }
            | Self::File(_)
            | Self::Message(_) => None,
        }
    }

    /// Says what was tried when the library failed.
    pub(crate) fn during(action: impl Into<String>) -> impl FnOnce(kind::Error) -> Self {
        let action = action.into();
        move |error| Self::Operation { action, error }
    }
}

impl From<kind::Error> for Failure {
    fn from(error: kind::Error) -> Self {
        Self::Operation {
            action: String::new(),
            error,
        }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}
