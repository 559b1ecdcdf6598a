//! Raising limits of the host that nodes would run into, where that is allowed.

use std::fs;
use std::path::Path;

use kind_diagnosis::{Check, Severity};

use super::examination::{Examined, Verdict};
use super::fix::Sysctl;

/// A host before a creation.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Prepared {
    /// Limits that were raised, in words for the user.
    pub(crate) raised: Vec<String>,
    /// What is in the way.
    pub(crate) problems: Vec<Check>,
}

/// A limit that was raised for a check.
struct Raised {
    found: String,
    sysctl: Sysctl,
    before: String,
}

/// Raises what keeps nodes from running, and looks again: where something is in the way all the same, no node is made, and
/// the host stays as it was. `sysctls` is the directory of the kernel's settings.
pub(super) fn raise_limits(examine: &dyn Fn() -> Vec<Examined>, sysctls: &Path) -> Prepared {
    let mut examined = examine();
    let raised: Vec<_> = examined
        .iter()
        .filter_map(|one| raise_limit(one, sysctls))
        .collect();
    if !raised.is_empty() {
        examined = examine();
    }
    let refused = examined.iter().any(|one| one.verdict == Verdict::Error);
    if refused {
        raised.iter().for_each(|one| one.take_back(sysctls));
    }
    let kept = raised.iter().filter(|_| !refused);
    Prepared {
        raised: kept.map(Raised::describe).collect(),
        problems: examined.into_iter().flat_map(|one| one.problems).collect(),
    }
}

fn raise_limit(examined: &Examined, sysctls: &Path) -> Option<Raised> {
    let mut problems = examined.problems.iter();
    let error = problems.find(|check| check.severity == Severity::Error)?;
    let sysctl = examined.fixes.iter().find_map(|fix| fix.sysctl())?;
    // Who may not raise it is told by the check how it is done.
    let before = sysctl.set_below(sysctls).ok()?;
    Some(Raised {
        found: error.found.clone(),
        sysctl,
        before,
    })
}

impl Raised {
    fn take_back(&self, sysctls: &Path) {
        let path = sysctls.join(self.sysctl.name.replace('.', "/"));
        // It has just been written.
        let _ = fs::write(path, &self.before);
    }

    fn describe(&self) -> String {
        let Sysctl { name, value } = self.sysctl;
        let (found, before) = (&self.found, &self.before);
        format!("{name} was raised from {before} to {value}, until the host starts again: {found}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fix::Fix;
    use crate::doctor::outcome::{Outcome, Problem};
    use crate::doctor::tests::write;

    const NAME: &str = "fs.inotify.max_user_instances";

    /// A check that wants the limit below a directory to be at least so much.
    fn examine(sysctls: &Path, wanted: u64) -> Vec<Examined> {
        let limit = fs::read_to_string(sysctls.join(NAME.replace('.', "/"))).unwrap();
        let outcome = if limit.trim().parse::<u64>().unwrap() >= wanted {
            Outcome::passed("enough")
        } else {
            Problem::error("too few", "more", "raise it")
                .with_fix(Fix::set_sysctl(NAME, 512))
                .into()
        };
        vec![Examined::new("inotify-instances", "instances", outcome)]
    }

    fn raised_for(wanted: u64) -> (Prepared, String) {
        let place = tempfile::tempdir().unwrap();
        write(place.path(), "fs/inotify/max_user_instances", "128\n");
        let prepared = raise_limits(&|| examine(place.path(), wanted), place.path());
        let left = fs::read_to_string(place.path().join("fs/inotify/max_user_instances"));
        (prepared, left.unwrap())
    }

    #[test]
    fn a_limit_that_is_too_low_is_raised_and_said_so() {
        let (prepared, left) = raised_for(200);
        assert_eq!((prepared.problems.len(), left.as_str()), (0, "512"));
        assert_eq!(
            prepared.raised,
            [
                "fs.inotify.max_user_instances was raised from 128 to 512, until the host starts again: too few"
            ]
        );
    }

    #[test]
    fn a_limit_that_is_enough_stays() {
        let (prepared, left) = raised_for(100);
        assert_eq!((prepared, left.as_str()), (Prepared::default(), "128\n"));
    }

    #[test]
    fn what_does_not_help_is_taken_back_and_told() {
        let (prepared, left) = raised_for(1000);
        assert_eq!((prepared.raised.len(), left.as_str()), (0, "128"));
        assert_eq!(prepared.problems[0].remedy, "raise it");
    }

    #[test]
    fn who_may_not_raise_a_limit_is_told_how() {
        let place = tempfile::tempdir().unwrap();
        write(place.path(), "fs/inotify/max_user_instances", "128\n");
        let nowhere = place.path().join("none");
        let prepared = raise_limits(&|| examine(place.path(), 200), &nowhere);
        assert_eq!(prepared.raised, [""; 0]);
        assert_eq!(prepared.problems.len(), 1);
    }
}
