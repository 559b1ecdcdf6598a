//! What came of one check.

use kind_diagnosis::{Check, Evidence, Severity};

use super::fix::Fix;

/// What came of one check.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// Nothing is in the way; what is so, in a few words.
    Passed(String),
    /// It cannot be told here, or does not matter; why.
    Skipped(String),
    /// Something is in the way.
    Problems(Vec<Problem>),
}

/// Something that is in the way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    /// What it is; who runs the check fills in its id, and what it looked at if that is not said.
    pub(super) check: Check,
    /// What mends it without any danger.
    pub(super) fix: Option<Fix>,
}

impl Outcome {
    pub(super) fn passed(text: impl Into<String>) -> Self {
        Self::Passed(text.into())
    }

    pub(super) fn skipped(text: impl Into<String>) -> Self {
        Self::Skipped(text.into())
    }

    /// The problems, if there are any; otherwise that there are none.
    pub(super) fn of_problems(problems: Vec<Problem>, passed: impl Into<String>) -> Self {
        if problems.is_empty() {
            Self::Passed(passed.into())
        } else {
            Self::Problems(problems)
        }
    }
}

impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

impl Problem {
    /// Nothing works before it is mended.
    pub(super) fn error(
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let check = Check {
            severity: Severity::Error,
            found: found.into(),
            expected: expected.into(),
            remedy: remedy.into(),
            ..Check::default()
        };
        Self { check, fix: None }
    }

    /// It may do harm, or limits something.
    pub(super) fn warning(
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let mut problem = Self::error(found, expected, remedy);
        problem.check.severity = Severity::Warning;
        problem
    }

    /// Says what was looked at, where that is more than the check's title says.
    pub(super) fn of(mut self, subject: impl Into<String>) -> Self {
        self.check.subject = subject.into();
        self
    }

    /// Says what mends it without any danger.
    pub(super) fn with_fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Says what shows it.
    pub(super) fn with_evidence(mut self, path: &str, lines: Vec<String>) -> Self {
        let path = path.to_owned();
        self.check.evidence.push(Evidence { path, lines });
        self
    }
}
