//! What a host must have for nodes without root, looked at before anything is made.
//!
//! [`Host`] reads files of the kernel and of the administrator; [`problems`] judges them. Nothing is started
//! and nothing is changed, so that the look costs less than a millisecond.

mod host;
mod judge;
mod problem;

pub(super) use host::Host;
pub(super) use judge::{Wanted, find_problems};
pub(super) use problem::{collect_warnings, error};
