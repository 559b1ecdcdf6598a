//! Why a command failed.

use kind::{Check, Severity, error_chain, redact_document};
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
    /// What was found to be in the way, the worst first.
    pub(crate) causes: Vec<CauseDocument>,
    /// Directory with the logs that were kept, if any were.
    pub(crate) evidence: Option<String>,
    /// Why not all logs were kept, if some were not.
    pub(crate) evidence_problem: Option<String>,
    /// The command's exit code.
    pub(crate) exit_code: u8,
}

impl Document for ErrorDocument {
    const KIND: &'static str = "Error";
}

impl From<&Failure> for ErrorDocument {
    fn from(failure: &Failure) -> Self {
        let error = failure.error();
        let causes = error.map_or(&[][..], kind::Error::causes);
        Self {
            code: failure.code().to_string(),
            message: redact_secrets(failure.message()),
            cause: error.and_then(error_cause).map(redact_secrets),
            remedy: failure.remedy().map(redact_secrets),
            output: error.and_then(kind::Error::output).map(redact_secrets),
            causes: causes.iter().map(CauseDocument::from).collect(),
            evidence: error
                .and_then(kind::Error::evidence)
                .map(|path| path.display().to_string()),
            evidence_problem: error
                .and_then(kind::Error::evidence_problem)
                .map(redact_secrets),
            exit_code: failure.exit().code(),
        }
    }
}

/// One thing that is in the way.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct CauseDocument {
    /// What it is; stays the same between releases, for example `unknown-flag`.
    pub(crate) id: String,
    /// `error` where nothing goes on until it is mended, `warning` where it may heal.
    pub(crate) severity: String,
    /// What was looked at, for example `kube-apiserver`.
    pub(crate) subject: String,
    /// What is so.
    pub(crate) found: String,
    /// What should be so.
    pub(crate) expected: String,
    /// What mends it.
    pub(crate) remedy: String,
    /// Lines that show it.
    pub(crate) evidence: Vec<EvidenceDocument>,
}

/// Lines of a file in a node, or of a unit's journal.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvidenceDocument {
    /// The file, or the command that shows the journal.
    pub(crate) path: String,
    /// The lines.
    pub(crate) lines: Vec<String>,
}

impl From<&Check> for CauseDocument {
    fn from(check: &Check) -> Self {
        let evidence = check.evidence.iter().map(|evidence| EvidenceDocument {
            path: evidence.path.clone(),
            lines: evidence.lines.iter().map(redact_secrets).collect(),
        });
        Self {
            id: check.id.clone(),
            severity: match check.severity {
                Severity::Error => "error".to_owned(),
                Severity::Warning => "warning".to_owned(),
            },
            subject: check.subject.clone(),
            found: redact_secrets(&check.found),
            expected: check.expected.clone(),
            remedy: redact_secrets(&check.remedy),
            evidence: evidence.collect(),
        }
    }
}

/// A text without secrets.
fn redact_secrets(text: impl AsRef<str>) -> String {
    redact_document(text.as_ref()).into_owned()
}

/// What stands behind an error's own words.
fn error_cause(error: &kind::Error) -> Option<String> {
    let chain = error_chain(error);
    let inner = chain.strip_prefix(&error.to_string())?;
    let inner = inner.strip_prefix(": ")?;
    Some(inner.to_owned())
}
