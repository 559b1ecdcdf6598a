//! Looking, while steps run, for what is in their way.

use std::time::Duration;

use kind_diagnosis::Severity;
use kind_node::request::Event;

use super::programs::Programs;
use super::report::{Report, Running};

/// Nothing has failed before; most starts are over soon after.
const FIRST_LOOK: Duration = Duration::from_secs(2);
const INTERVAL: Duration = Duration::from_secs(1);
/// From then on a step is said to take long, and again each time as long.
const SLOW: Duration = Duration::from_secs(5);

/// Looks until the request ends, and ends it for what cannot heal.
pub(super) fn attend(programs: &Programs, report: &Report) {
    let mut told = None;
    let mut pause = FIRST_LOOK;
    while programs.sleep(pause) {
        pause = INTERVAL;
        let causes = report.watch().look();
        if causes
            .first()
            .is_some_and(|worst| worst.severity == Severity::Error)
        {
            return report.fail_for(causes);
        }
        let Some(step) = report
            .longest_running()
            .filter(|step| is_to_be_told(step, told.as_ref()))
        else {
            continue;
        };
        report.tell(&Event::Slow {
            id: step.id,
            name: step.name.clone(),
            ms: u64::try_from(step.since.elapsed().as_millis()).unwrap_or(u64::MAX),
            causes,
        });
        told = Some((step.since, step.since.elapsed()));
    }
}

/// Whether a step has run so long, since it was told last, that it is told; `told` is a step's begin and how long it
/// had run then.
fn is_to_be_told(step: &Running, told: Option<&(std::time::Instant, Duration)>) -> bool {
    let before = told
        .filter(|(since, _)| *since == step.since)
        .map_or(Duration::ZERO, |(_, elapsed)| *elapsed);
    step.since.elapsed() >= (before * 2).max(SLOW)
}
