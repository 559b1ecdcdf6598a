//! Which method of which service a message is the request of.

use prost::Message;

/// A request with one answer.
pub(super) trait Call: Message {
    /// Service and method, without the version of the interface.
    const METHOD: &'static str;
    type Answer: Message + Default;
}
