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

/// What a client's error says to people: of an answer its message alone, which the client's own text repeats with all
/// of its fields.
pub(crate) fn describe_error(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_by_its_message() {
        let message = "configmaps \"a\" already exists";
        let status = kube::core::Status {
            code: 409,
            message: message.to_owned(),
            reason: "AlreadyExists".to_owned(),
            ..kube::core::Status::default()
        };
        let answer = kube::Error::Api(Box::new(status));
        assert_eq!(describe_error(&answer), message);
        let silent = kube::Error::Api(Box::default());
        assert_eq!(describe_error(&silent), silent.to_string());
    }
}
