//! Why one registry did not give what was asked of it.

use super::Error as RegistryError;
use crate::{Error, http};

/// Why one registry did not give what was asked of it.
#[derive(Debug)]
pub(super) enum RegistryFailure {
    /// It was not reached, or answered with a failure.
    Net(http::Error),
    /// It wants to know who asks, or does not like who does.
    Denied(http::Error),
    /// It does not have it.
    Missing(http::Error),
    /// Anything that another registry would not do better, or that must be told.
    Other(Error),
}

impl From<RegistryError> for RegistryFailure {
    fn from(error: RegistryError) -> Self {
        Self::Other(error.into())
    }
}

impl From<Error> for RegistryFailure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<http::Error> for RegistryFailure {
    fn from(error: http::Error) -> Self {
        Self::Net(error)
    }
}
