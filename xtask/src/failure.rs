//! What a task can fail with.

/// A sentence for the developer.
pub(crate) type Failure = Box<dyn std::error::Error>;
