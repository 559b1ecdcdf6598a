//! Why volumes cannot be served.

use std::io;

use crate::kubernetes::refused::Refused;

/// Why volumes cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The add-on is configured by its environment.
    #[error("the environment variable {0} is missing")]
    Missing(&'static str),
    /// The runtime or its signals could not be set up.
    #[error("start")]
    Runtime(#[source] io::Error),
    /// There is no way to the API server.
    #[error("reach the API server")]
    Kubernetes(#[from] crate::kubernetes::Error),
    /// The API server refused a call.
    #[error(transparent)]
    Api(#[from] Refused),
    /// The node's disk refused.
    #[error("{action} the directory {name:?}: {source}")]
    Directory {
        /// What was to be done.
        action: &'static str,
        /// The directory's name.
        name: String,
        /// Why it was not.
        source: io::Error,
    },
    /// There is no node for the claim's volume; there may be one later.
    #[error("{0}")]
    NoNode(String),
    /// The claim asks for what these volumes cannot be; trying again does not help.
    #[error("{0}")]
    Unsupported(String),
}
