//! The one request channel into a node.
//!
//! `kind-node request` reads from its stdin: the length of a JSON document as 4 bytes big-endian, the
//! document (a [`Request`]), then a tar stream of files that is unpacked at `/` first. It writes one
//! JSON [`Event`] a line to its stdout while it works, and ends with code 0, or 1 after
//! [`Event::Failed`].

mod message;
mod step_id;

pub use message::{Event, Request, Step};
pub use step_id::{KubeadmPhase, StepId};
