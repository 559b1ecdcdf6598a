//! What a host lacks, in words.

use crate::{Code, Error};

/// Something that a host lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::command_line) struct Problem {
    /// What is missing, as a sentence without its period.
    pub(in crate::command_line) message: String,
    /// Commands, or lines of a file, that bring it.
    pub(in crate::command_line) remedy: String,
    /// Nodes cannot run at all; otherwise they may run into it later.
    pub(in crate::command_line) fatal: bool,
}

/// All that keeps nodes from running, as one error: who mends a host wants to know everything at once.
pub(in crate::command_line) fn error(engine: &str, problems: &[Problem]) -> Option<Error> {
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
        Code::RootlessHost,
        format!("this host is not ready for {engine} without root: {lacks}"),
        join(|problem| &problem.remedy, "\n"),
    ))
}

/// What does not keep nodes from running, as warnings.
pub(in crate::command_line) fn collect_warnings(problems: &[Problem]) -> Vec<String> {
    let minor = problems.iter().filter(|problem| !problem.fatal);
    minor
        .map(|problem| format!("{} ({})", problem.message, problem.remedy))
        .collect()
}
