//! Why a command failed.

use kind::error_chain;
use serde::Serialize;

use super::Document;
use crate::exit::Failure;

/// Why a command failed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorDocument {
    /// What kind of failure it is; stays the same between releases, for example `KIND-CLUSTER-EXISTS`.
    pub(crate) code: String,
    /// What failed and why, as the text form says it after `ERROR: `.
    pub(crate) message: String,
    /// Why alone, innermost last, if it is known beyond the message's beginning.
    pub(crate) cause: Option<String>,
    /// What to do about it, if that is known.
    pub(crate) remedy: Option<String>,
    /// What the program that failed printed, if one did.
    pub(crate) output: Option<String>,
    /// Directory with the logs that were kept, if any were.
    pub(crate) evidence: Option<String>,
    /// The command's exit code.
    pub(crate) exit_code: u8,
}

impl Document for ErrorDocument {
    const KIND: &'static str = "Error";
}

impl From<&Failure> for ErrorDocument {
    fn from(failure: &Failure) -> Self {
        let error = failure.error();
        Self {
            code: failure.code().to_owned(),
            message: failure.message(),
            cause: error.and_then(cause),
            remedy: failure.remedy(),
            output: error.and_then(kind::Error::output).map(str::to_owned),
            evidence: error
                .and_then(kind::Error::evidence)
                .map(|path| path.display().to_string()),
            exit_code: failure.exit().code(),
        }
    }
}

/// What stands behind an error's own words.
fn cause(error: &kind::Error) -> Option<String> {
    let chain = error_chain(error);
    let inner = chain.strip_prefix(&error.to_string())?;
    let inner = inner.strip_prefix(": ")?;
    Some(inner.to_owned())
}
