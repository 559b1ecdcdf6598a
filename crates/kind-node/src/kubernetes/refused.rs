//! Calls that the API server refused.

/// A call that the API server refused, or that never reached it.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub(crate) struct Refused {
    /// What was asked for.
    action: &'static str,
    /// Why not.
    source: Box<kube::Error>,
}

/// Makes a client's error the error of a call.
pub(crate) fn refused_call(action: &'static str) -> impl FnOnce(kube::Error) -> Refused {
    move |source| Refused {
        action,
        source: Box::new(source),
    }
}
