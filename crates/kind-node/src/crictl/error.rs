//! What can go wrong between a command line and containerd.

use std::io;
use std::path::PathBuf;

use super::usage::UsageError;

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The command line is at fault.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The image is not in containerd's store.
    #[error("no such image {0:?} present")]
    NoSuchImage(String),
    /// Nobody answers on the socket.
    #[error("cannot connect to {}: {source}", .path.display())]
    Connect {
        /// Path of the socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection to containerd broke: {0}")]
    Connection(#[from] h2::Error),
    /// The answer is not one.
    #[error("containerd gave an answer that cannot be read: {0}")]
    Answer(String),
    /// containerd refused.
    #[error("{message} (code {code})")]
    Refused {
        /// gRPC's number of the kind of failure.
        code: u32,
        /// containerd's words.
        message: String,
    },
    /// The answer could not be printed.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// gRPC's code for a service or method that the server does not have.
    const UNIMPLEMENTED: u32 = 12;

    pub(super) fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == Self::UNIMPLEMENTED)
    }

    /// Whether the command line is at fault.
    pub(super) fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_))
    }
}
