//! The room for diagnosis: what stands in the way of a cluster, and what mends it.
//!
//! In comes what components of a node say: the log of a container that ended, lines of a journal. Out come
//! [`Check`]s, each with its cause, the lines that show it, and a remedy. Nothing here touches the world; the node
//! agent reads logs while a node starts, the library reads collected ones, and both ask the same table of
//! [signatures](Signature): a new one is an entry there and a sample beside it.
#![forbid(unsafe_code)]

mod check;
mod component;
mod final_words;
mod pattern;
mod signature;
mod signatures;

pub use check::{Check, Evidence, KUBEADM_FAILED, LAST_ERROR, Severity, UNKNOWN};
pub use component::Component;
pub use final_words::{FinalWords, final_words};
pub use signature::Signature;
pub use signatures::RENEW_CERTIFICATES;

use final_words::{cut, last_error, strip_controls};
use pattern::waits_for_another;
use signature::Line;
use signatures::SIGNATURES;

/// Why a component ended, from the end of its log; `None` if that says nothing at all. What a running component
/// may say as well is a warning.
///
/// ```
/// use kind_diagnosis::{Component, Severity, examine_exit};
///
/// let log = "Error: unknown flag: --no-such-flag\n";
/// let check = examine_exit(Component::new("kube-apiserver"), "/var/log/pods/a/0.log", log).unwrap();
/// assert_eq!(check.id, "unknown-flag");
/// assert_eq!(check.severity, Severity::Error);
/// assert!(check.remedy.contains("apiServer.extraArgs"));
/// ```
pub fn examine_exit(component: Component<'_>, path: &str, log: &str) -> Option<Check> {
    let mut check = examine_ended(component, path, log)?;
    if !final_words(log)?.is_end {
        check.severity = Severity::Warning;
    }
    Some(check)
}

/// The same of a component of which something else tells that it has ended.
pub fn examine_ended(component: Component<'_>, path: &str, log: &str) -> Option<Check> {
    let words = final_words(log)?;
    let line = Line {
        component,
        path,
        text: &words.text,
    };
    let known = SIGNATURES.iter().find_map(|signature| {
        let captures = signature.find_end(line)?;
        Some(signature.make_check(line, &captures))
    });
    Some(known.unwrap_or_else(|| make_unknown(line)))
}

/// All signatures, in the order in which they are asked.
pub fn signatures() -> &'static [Signature] {
    SIGNATURES
}

/// Whether a check of that id says what comes to the same however often it is tried.
pub fn is_certain(id: &str) -> bool {
    let mut signatures = SIGNATURES.iter();
    signatures.any(|signature| signature.id == id && signature.is_certain)
}

/// What lines of a running component's log tell of that is in the way, the latest of each kind.
pub fn examine_lines<'a>(
    component: Component<'_>,
    path: &str,
    lines: impl IntoIterator<Item = &'a str>,
) -> Vec<Check> {
    let mut found: Vec<Check> = Vec::new();
    for text in lines.into_iter().map(strip_controls) {
        let line = Line {
            component,
            path,
            text: &text,
        };
        let mut checks = SIGNATURES.iter().filter_map(|signature| {
            let captures = signature.find_while_running(line)?;
            Some(signature.make_check(line, &captures))
        });
        if let Some(check) = checks.next() {
            found.retain(|known| known.id != check.id);
            found.push(check);
        }
    }
    found
}

/// The last error that a running component tells of, for those who know nothing better.
pub fn examine_last_error(component: Component<'_>, path: &str, log: &str) -> Option<Check> {
    let error = last_error(log)?;
    let check = make_unknown(Line {
        component,
        path,
        text: &error,
    });
    Some(Check {
        id: LAST_ERROR.to_owned(),
        severity: Severity::Warning,
        ..check
    })
}

/// A component that ended for a reason that no signature knows.
fn make_unknown(line: Line<'_>) -> Check {
    let component = line.component;
    Check {
        id: UNKNOWN.to_owned(),
        severity: Severity::of(waits_for_another(line.text)),
        subject: component.name().to_owned(),
        found: cut(line.text),
        expected: format!("{component} runs"),
        remedy: match component.settings() {
            Some(settings) => format!("look at what {settings} and patches give {component}"),
            None => format!("look at the log of {component}"),
        },
        evidence: vec![line.evidence()],
    }
}

#[cfg(test)]
mod tests;
