//! What is wrong with a command line.

/// A command line that cannot be understood; the text is what the user reads after `ERROR: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);
