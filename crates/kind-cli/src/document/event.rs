//! Something that happened, as one line.

use kind::EventRecord;
use serde::Serialize;

use super::Document;

/// An event with its moment.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventLine {
    /// When it happened: RFC 3339, in UTC.
    pub(crate) time: String,
    /// What happened.
    #[serde(flatten)]
    pub(crate) event: EventRecord,
}

impl Document for EventLine {
    const KIND: &'static str = "Event";
}
