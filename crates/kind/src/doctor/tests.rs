//! What tests of judges share, and tests of the tables.

use std::fs;
use std::path::Path;

use kind_diagnosis::Severity;

use super::outcome::Outcome;

/// An outcome in one line, without its remedies, which must be there.
pub(super) fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed(text) => format!("passed: {text}"),
        Outcome::Skipped(text) => format!("skipped: {text}"),
        Outcome::Problems(problems) => {
            let told = problems.iter().map(|problem| {
                let check = &problem.check;
                assert!(
                    !check.expected.is_empty() && !check.remedy.is_empty(),
                    "{check:?}"
                );
                let severity = match check.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                format!("{severity}: {}", check.found)
            });
            told.collect::<Vec<_>>().join("; ")
        }
    }
}

/// Writes a file of a recorded host.
pub(super) fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
