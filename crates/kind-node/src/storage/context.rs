//! What the two halves of the add-on share.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder};

/// Time between two attempts to serve the same object.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// The API takes no longer text in an event.
const LONGEST_NOTE: usize = 1000;

/// What both halves need.
pub(super) struct Context {
    /// The way to the API server.
    pub(super) client: Client,
    /// This node's name.
    pub(super) node: String,
    /// This node's label [`volume::HOSTNAME`].
    pub(super) hostname: String,
    pub(super) recorder: Recorder,
}

impl Context {
    /// Tells people who look at an object what happened to it; `words` are action and reason.
    pub(super) async fn send_event(
        &self,
        object: &ObjectReference,
        type_: EventType,
        words: (&str, &str),
        mut note: String,
    ) {
        note.truncate(note.floor_char_boundary(LONGEST_NOTE));
        let event = Event {
            type_,
            action: words.0.to_owned(),
            reason: words.1.to_owned(),
            note: Some(note),
            secondary: None,
        };
        // An event that is lost changes nothing.
        if let Err(error) = self.recorder.publish(&event, object).await {
            tracing::debug!(%error, "cannot record an event");
        }
    }
}

/// An error and its causes in one line.
pub(super) fn error_chain(error: &(impl std::error::Error + ?Sized)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let next = source.to_string();
        // Some errors repeat their cause.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = source.source();
    }
    text
}
