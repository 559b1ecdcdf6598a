//! What can go wrong in an engine.

use std::path::PathBuf;

use crate::Code;
use crate::command_line::FailureReason;

/// A failure of an engine. Display says what failed, `source` why, `remedy` what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No node of that name.
    #[error("no node named {0:?}")]
    NoSuchNode(String),
    /// A node of that name exists.
    #[error("a node named {0:?} exists already")]
    NodeExists(String),
    /// The image is not here.
    #[error("image {0:?} not present locally")]
    NoSuchImage(String),
    /// An operation on the host failed.
    #[error("{action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// A record on disk cannot be read.
    #[error("node record {path} is damaged")]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The image store failed.
    #[error(transparent)]
    Image(#[from] kind_image::Error),
    /// The host's network set-up failed.
    #[error(transparent)]
    Network(#[from] kind_net::Error),
    /// A program that reaches an engine failed.
    #[error("command \"{command}\" failed with error: {reason}")]
    Program {
        /// The command as a shell would take it.
        command: String,
        /// How it ended.
        reason: String,
        /// Everything that it printed.
        output: String,
        /// What that probably means.
        failure_reason: FailureReason,
    },
    /// A failure during one of several steps.
    #[error("{action}")]
    During {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: Box<Error>,
    },
    /// Nodes of the native engine are made of what only root may make.
    #[error("the native engine needs root for now")]
    NotRoot,
    /// Anything else, with the remedy in words.
    #[error("{message}")]
    Other {
        /// What kind of failure it is.
        code: Code,
        /// What failed.
        message: String,
        /// What to do about it.
        remedy: String,
    },
    /// Several failures of one clean-up.
    #[error("[{}]", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Many(Vec<Error>),
}

impl Error {
    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::NoSuchNode(_) => Code::NodeMissing,
            Self::NodeExists(_) => Code::NodeExists,
            Self::NoSuchImage(_) => Code::ImageMissing,
            Self::Io { source, .. } if is_full(source.kind()) => Code::DiskFull,
            Self::Io { .. } => Code::Io,
            Self::Record { .. } => Code::Record,
            Self::Image(error) => Code::Image(error.code()),
            Self::Network(error) => Code::Network(error.code()),
            Self::Program { failure_reason, .. } => failure_reason.code(),
            Self::During { source, .. } => source.code(),
            Self::NotRoot => Code::NotRoot,
            Self::Other { code, .. } => *code,
            Self::Many(_) => Code::Many,
        }
    }

    /// What the failure of a program probably means, if one failed.
    pub(crate) fn failure_reason(&self) -> Option<FailureReason> {
        match self {
            Self::Program { failure_reason, .. } => Some(*failure_reason),
            Self::During { source, .. } => source.failure_reason(),
            _ => None,
        }
    }

    /// What the user can do, if anything is known.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NoSuchImage(_) => Some(
                "build one with `kind build node-image debian`, or create with `--from debian`"
                    .to_owned(),
            ),
            Self::NotRoot => {
                Some("run kind with sudo, or install docker, podman or nerdctl".to_owned())
            }
            Self::Record { .. } => Some("remove the cluster with `kind delete cluster`".to_owned()),
            Self::Image(error) => error.remedy(),
            Self::Network(error) => Some(error.remedy().to_owned()),
            Self::Program { failure_reason, .. } => failure_reason.remedy().map(str::to_owned),
            Self::During { source, .. } => source.remedy(),
            Self::Other { remedy, .. } if !remedy.is_empty() => Some(remedy.clone()),
            Self::Io { source, .. } => remedy_of_kind(source.kind()).map(str::to_owned),
            _ => None,
        }
    }

    /// What the failed program printed, if a program failed.
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Program { output, .. } => Some(output),
            Self::During { source, .. } => source.output(),
            Self::Many(errors) => errors.iter().find_map(Self::output),
            _ => None,
        }
    }

    /// A failure with its kind and a remedy in words.
    pub(crate) fn other(code: Code, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Other {
            code,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The same failure with what it failed during.
    pub(crate) fn during(self, action: &'static str) -> Self {
        Self::During {
            action,
            source: Box::new(self),
        }
    }

    /// One error of several failures, `Ok` of none.
    pub(crate) fn join_failures(mut failures: Vec<Self>) -> Result<(), Self> {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Self::Many(failures)),
        }
    }

    /// Wraps an operating-system error with what was tried.
    pub fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

/// What mends a failure of the operating system, where its kind says enough.
fn remedy_of_kind(kind: std::io::ErrorKind) -> Option<&'static str> {
    use std::io::ErrorKind;
    match kind {
        full if is_full(full) => Some(
            "free some space on that disk (`kind prune`, and what the engine has for it), or set KIND_STATE_DIR and TMPDIR to \
             directories on another one",
        ),
        ErrorKind::ReadOnlyFilesystem => Some(
            "set KIND_STATE_DIR, or TMPDIR where it is about temporary files, to a directory that can be written to",
        ),
        _ => None,
    }
}

/// Whether a disk, or the part of it that a user has, is full.
fn is_full(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(kind, StorageFull | QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn disks_that_cannot_be_written_to_have_a_remedy() {
        let remedy = |kind: ErrorKind| Error::io("make a")(kind.into()).remedy();
        assert!(
            remedy(ErrorKind::StorageFull)
                .unwrap()
                .contains("kind prune")
        );
        assert!(
            remedy(ErrorKind::ReadOnlyFilesystem)
                .unwrap()
                .contains("KIND_STATE_DIR")
        );
        assert_eq!(remedy(ErrorKind::NotFound), None);
        let code = |kind: ErrorKind| Error::io("make a")(kind.into()).code();
        assert_eq!(code(ErrorKind::StorageFull), Code::DiskFull);
        assert_eq!(code(ErrorKind::NotFound), Code::Io);
    }
}
