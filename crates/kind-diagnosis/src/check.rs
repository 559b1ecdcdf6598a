//! What was looked at, and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a finding is in the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "String")]
pub enum Severity {
    /// It may heal by itself, or limits something.
    #[default]
    Warning,
    /// Nothing goes on until somebody mends it.
    Error,
}

impl From<String> for Severity {
    /// What another release means by other words is no reason to give up.
    fn from(word: String) -> Self {
        if word == "error" {
            Self::Error
        } else {
            Self::Warning
        }
    }
}

impl Severity {
    /// That of something that heals by itself, or does not.
    pub(crate) fn of(heals: bool) -> Self {
        if heals { Self::Warning } else { Self::Error }
    }
}

/// Lines that show something, and where they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Evidence {
    /// File in the node, or the journal of a unit.
    pub path: String,
    /// The lines.
    pub lines: Vec<String>,
}

/// One thing that was looked at and is not as it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Check {
    /// Stays the same between releases, for example `unknown-flag`.
    pub id: String,
    /// How much it is in the way.
    pub severity: Severity,
    /// What was looked at, for example `kube-apiserver`.
    pub subject: String,
    /// What is so.
    pub found: String,
    /// What should be so.
    pub expected: String,
    /// What mends it.
    pub remedy: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
}

/// The id of an end that no signature knows.
pub const UNKNOWN: &str = "component-ended";
/// The id of the last error of something that others wait for and that goes on.
pub const LAST_ERROR: &str = "component-error";

/// The id of what kubeadm itself says of its failure.
pub const KUBEADM_FAILED: &str = "kubeadm-failed";

impl Check {
    /// Whether it has a signature, and not only last words.
    pub fn is_known(&self) -> bool {
        self.id != UNKNOWN && self.id != LAST_ERROR
    }
}

impl fmt::Display for Check {
    /// The cause in one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.subject, self.found)
    }
}
