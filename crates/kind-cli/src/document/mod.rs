//! Results, events and errors as JSON, for programs that call the command (`docs/json.md`).
//!
//! Every document names its version and its kind. Within a version, fields and kinds may come but
//! none changes its meaning.

mod diagnosis;
mod envelope;
mod event;
mod failure;
mod plan;
mod result;
#[cfg(test)]
mod tests;

pub(crate) use diagnosis::Diagnosis;
pub(crate) use envelope::{Document, document_line, document_text};
pub(crate) use event::EventLine;
pub(crate) use failure::ErrorDocument;
pub(crate) use plan::Plan;
pub(crate) use result::*;
