//! Why the pod network cannot be kept.

use std::io;

use crate::pod_addresses::NotWritten;

/// Why the pod network cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The add-on is configured by its environment.
    #[error("the environment variable {0} is missing")]
    Missing(&'static str),
    /// A variable is there and means nothing.
    #[error("the environment variable {name} holds {value:?}")]
    Invalid {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The runtime or its signals could not be set up.
    #[error("start")]
    Runtime(#[source] io::Error),
    /// There is no way to the API server.
    #[error("reach the API server")]
    Kubernetes(#[from] crate::kubernetes::Error),
    /// The kernel refused a change of routes.
    #[error("set routes")]
    Routes(#[from] kind_net::Error),
    /// The CNI configuration could not be written.
    #[error(transparent)]
    Configuration(#[from] NotWritten),
}

/// Tells of a failure that is tried again.
pub(super) fn report_error(error: &(dyn std::error::Error + 'static), what: &str) {
    tracing::warn!(error, "{what}");
}
