//! What stands in the way.

use kind::{Examination, Examined, Fix, Verdict};
use serde::Serialize;

use super::Document;
use super::failure::CauseDocument;

/// Of `doctor`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diagnosis {
    /// The cluster that was looked at; `null` if it was the host.
    pub(crate) cluster: Option<String>,
    /// How many checks found what must be mended first.
    pub(crate) errors: usize,
    /// How many found what may do harm, or limits something.
    pub(crate) warnings: usize,
    /// How many found nothing.
    pub(crate) passed: usize,
    /// How many could not be made here, or do not matter.
    pub(crate) skipped: usize,
    /// Every check.
    pub(crate) checks: Vec<CheckDocument>,
    /// What was mended before that.
    pub(crate) fixed: Vec<String>,
}

impl Document for Diagnosis {
    const KIND: &'static str = "Diagnosis";
}

impl Diagnosis {
    /// The document of an examination, after these things were mended.
    pub(crate) fn new(cluster: Option<String>, found: &Examination, fixed: Vec<String>) -> Self {
        Self {
            cluster,
            errors: found.count(Verdict::Error),
            warnings: found.count(Verdict::Warning),
            passed: found.count(Verdict::Passed),
            skipped: found.count(Verdict::Skipped),
            checks: found.examined.iter().map(CheckDocument::from).collect(),
            fixed,
        }
    }
}

/// One check.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckDocument {
    /// Which check; stays the same between releases, for example `inotify-instances`.
    pub(crate) id: String,
    /// What it looks at.
    pub(crate) title: String,
    /// `ok`, `warning`, `error`, or `skipped` where it could not be made or does not matter.
    pub(crate) verdict: String,
    /// What was seen if that is `ok`, or why the check was skipped.
    pub(crate) seen: String,
    /// What is in the way.
    pub(crate) causes: Vec<CauseDocument>,
    /// What `--fix` would do.
    pub(crate) fixes: Vec<String>,
}

impl From<&Examined> for CheckDocument {
    fn from(examined: &Examined) -> Self {
        Self {
            id: examined.id.to_owned(),
            title: examined.title.to_owned(),
            verdict: match examined.verdict {
                Verdict::Error => "error",
                Verdict::Warning => "warning",
                Verdict::Passed => "ok",
                _ => "skipped",
            }
            .to_owned(),
            seen: examined.seen.clone(),
            causes: examined.problems.iter().map(CauseDocument::from).collect(),
            fixes: examined
                .fixes
                .iter()
                .map(Fix::title)
                .map(str::to_owned)
                .collect(),
        }
    }
}
