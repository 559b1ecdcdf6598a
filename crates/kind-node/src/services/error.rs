//! Why services cannot have addresses.

use std::io;

use crate::kubernetes::refused::Refused;

/// Why services cannot have addresses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The add-on is configured by its environment.
    #[error("the environment variable {0} is missing or wrong")]
    Variable(&'static str),
    /// The runtime or its signals could not be set up.
    #[error("start")]
    Runtime(#[source] io::Error),
    /// There is no way to the API server.
    #[error("reach the API server")]
    Kubernetes(#[from] crate::kubernetes::Error),
    /// The API server refused a call.
    #[error(transparent)]
    Api(#[from] Refused),
    /// The API server has not answered as long as that was of use.
    #[error("no answer of the API server within the lease's term")]
    LeaseTimeout,
    /// The kernel refused a change of addresses.
    #[error("set addresses of services")]
    Addresses(#[from] kind_net::Error),
    /// The kernel refused rules or a frame.
    #[error("{action}")]
    Kernel {
        /// What was asked for.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// No link has the node's address.
    #[error("no link of this node has the address {0}")]
    NoLink(std::net::IpAddr),
}

/// Makes an error of the kernel one of ours.
pub(super) fn kernel_error(action: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Kernel { action, source }
}

/// Tells of a failure that is tried again.
pub(super) fn report_error(error: &(dyn std::error::Error + 'static), what: &str) {
    tracing::warn!(error, "{what}");
}
