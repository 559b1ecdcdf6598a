//! What a host must have for nodes without root, looked at before anything is made.
//!
//! [`Host`] reads files of the kernel and of the administrator; [`problems`] judges them. Nothing is started
//! and nothing is changed, so that the look costs less than a millisecond.

mod host;
mod judge;

pub(super) use host::Host;
pub(super) use judge::{Wanted, problems};

use crate::Error;

/// Something that a host lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// What is missing, as a sentence without its period.
    pub(super) message: String,
    /// Commands, or lines of a file, that bring it.
    pub(super) remedy: String,
    /// Nodes cannot run at all; otherwise they may run into it later.
    pub(super) fatal: bool,
}

/// All that keeps nodes from running, as one error: who mends a host wants to know everything at once.
pub(super) fn error(engine: &str, problems: &[Problem]) -> Option<Error> {
    let fatal: Vec<_> = problems.iter().filter(|problem| problem.fatal).collect();
    if fatal.is_empty() {
        return None;
    }
    let join = |part: fn(&Problem) -> &str, between: &str| {
        let parts: Vec<_> = fatal.iter().map(|problem| part(problem)).collect();
        parts.join(between)
    };
    let lacks = join(|problem| &problem.message, "; ");
    Some(Error::other(
        "ENG-ROOTLESS-HOST",
        format!("this host is not ready for {engine} without root: {lacks}"),
        join(|problem| &problem.remedy, "\n"),
    ))
}

/// What does not keep nodes from running, as warnings.
pub(super) fn warnings(problems: &[Problem]) -> Vec<String> {
    let minor = problems.iter().filter(|problem| !problem.fatal);
    minor
        .map(|problem| format!("{} ({})", problem.message, problem.remedy))
        .collect()
}
