//! What was looked at, and what came of it.

use kind_diagnosis::{Check, Severity};

use super::fix::Fix;
use super::outcome::Outcome;

/// A check that is made of every host, or of every cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckDescription {
    /// Stays the same between releases, for example `inotify-instances`.
    pub id: &'static str,
    /// What it looks at.
    pub title: &'static str,
    /// What mends it, as a rule.
    pub remedy: &'static str,
}

/// Everything that was looked at.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Examination {
    /// Each check, in the order of its table.
    pub examined: Vec<Examined>,
}

/// One check that was made.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Examined {
    /// Which check; stays the same between releases, for example `inotify-instances`.
    pub id: &'static str,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// What was seen where nothing is in the way, or why nothing can be told.
    pub seen: String,
    /// What is in the way.
    pub problems: Vec<Check>,
    /// What of it can be mended without any danger.
    pub fixes: Vec<Fix>,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// It cannot be told here, or does not matter.
    #[default]
    Skipped,
    /// Nothing is in the way.
    Passed,
    /// Something may do harm, or limits something.
    Warning,
    /// Nothing works before something is mended.
    Error,
}

impl Examination {
    /// Whether something must be mended before anything works.
    pub fn has_errors(&self) -> bool {
        self.count(Verdict::Error) > 0
    }

    /// How many checks came to this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let all = self.examined.iter();
        all.filter(|examined| examined.verdict == verdict).count()
    }

    /// What is in the way, in the order of the checks.
    pub fn problems(&self) -> impl Iterator<Item = &Check> {
        self.examined.iter().flat_map(|examined| &examined.problems)
    }

    /// What can be mended without any danger.
    pub fn fixes(&self) -> impl Iterator<Item = &Fix> {
        self.examined.iter().flat_map(|examined| &examined.fixes)
    }
}

impl Examined {
    /// The outcome of a check.
    pub(super) fn new(id: &'static str, title: &'static str, outcome: Outcome) -> Self {
        let (verdict, seen, problems) = match outcome {
            Outcome::Passed(seen) => (Verdict::Passed, seen, Vec::new()),
            Outcome::Skipped(why) => (Verdict::Skipped, why, Vec::new()),
            Outcome::Problems(problems) => (Verdict::Warning, String::new(), problems),
        };
        let (mut checks, mut fixes) = (Vec::new(), Vec::new());
        for problem in problems {
            let mut check = problem.check;
            id.clone_into(&mut check.id);
            if check.subject.is_empty() {
                title.clone_into(&mut check.subject);
            }
            checks.push(check);
            fixes.extend(problem.fix);
        }
        let is_error = checks.iter().any(|one| one.severity == Severity::Error);
        Self {
            id,
            title,
            verdict: if is_error { Verdict::Error } else { verdict },
            seen,
            problems: checks,
            fixes,
        }
    }
}
