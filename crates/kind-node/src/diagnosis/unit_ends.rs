//! Why a unit ends again and again.

use kind_diagnosis::{
    Check, Component, Severity, examine_ended, examine_exit, examine_lines, is_certain,
};

use super::units::journal_name;

/// Units are started again within a second, also while files are still being written that they read.
const KNOWN_UNIT_ENDS: usize = 2;
const UNKNOWN_UNIT_ENDS: usize = 5;
/// What ends as often without ever waiting for another does so again, whatever it says.
const MANY_UNIT_ENDS: usize = 10;

/// What is in the way by what each run of a unit said, the latest one last.
pub(super) fn judge_ends(unit: &str, ended: &[String]) -> Option<Check> {
    let (component, path) = (Component::new(unit), journal_name(unit));
    // A consequence of it may be what it said last.
    let said = examine_lines(component, &path, ended.last()?.lines());
    if let Some(check) = said.into_iter().find(|check| is_certain(&check.id)) {
        return Some(check);
    }
    let mut check = examine_exit(component, &path, ended.last()?)?;
    let enough = if check.is_known() {
        KNOWN_UNIT_ENDS
    } else {
        UNKNOWN_UNIT_ENDS
    };
    let again = |log: &&String| {
        let other = examine_exit(component, &path, log);
        // The same may be told by other words each time.
        other.is_some_and(|other| {
            other.id == check.id && (check.is_known() || other.found == check.found)
        })
    };
    let latest = || ended.iter().rev();
    let times = latest().take_while(again).take(enough).count();
    let waits_for_none = |log: &&String| {
        examine_ended(component, &path, log).is_some_and(|end| end.severity == Severity::Error)
    };
    let ends = latest().take(MANY_UNIT_ENDS).filter(waits_for_none).count();
    if ends == MANY_UNIT_ENDS {
        check.severity = Severity::Error;
    } else if times < enough {
        check.severity = Severity::Warning;
    }
    Some(check)
}
