//! Looking, while steps run, for what is in their way.

use std::time::{Duration, Instant};

use kind_diagnosis::Severity;
use kind_node::request::Event;

use super::programs::Programs;
use super::report::{Report, Running};

/// Nothing has failed before; most starts are over soon after.
const FIRST_CHECK_DELAY: Duration = Duration::from_secs(2);
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// From then on a step is said to take long, and again each time as long.
const SLOW_STEP_THRESHOLD: Duration = Duration::from_secs(5);

/// A step that was told to take long.
struct SlowStep {
    since: Instant,
    /// How long it had run then.
    elapsed: Duration,
    /// What was in its way.
    cause: Option<String>,
}

/// Looks until the request ends, and ends it for what cannot heal.
pub(super) fn watch_request(programs: &Programs, report: &Report) {
    let mut told: Option<SlowStep> = None;
    let mut pause = FIRST_CHECK_DELAY;
    while programs.sleep(pause) {
        pause = CHECK_INTERVAL;
        let causes = report.lock_watch().find_causes();
        let Some(step) = report.latest_running() else {
            continue;
        };
        let worst = causes.first();
        if worst.is_some_and(|worst| worst.severity == Severity::Error) {
            return report.fail_for(&step, causes);
        }
        // Numbers of ports and times differ each time.
        let cause = worst.map(|worst| format!("{} {}", worst.subject, worst.id));
        let elapsed = step.since.elapsed();
        if !is_to_be_told(&step, elapsed, cause.as_ref(), told.as_ref()) {
            continue;
        }
        report.send_event(&Event::Slow {
            id: step.id,
            name: step.name,
            ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            causes,
        });
        told = Some(SlowStep {
            since: step.since,
            elapsed,
            cause,
        });
    }
}

/// Whether a step that has run so long is told: the first time, each time that it has taken twice as long since, and
/// when something else is in its way.
fn is_to_be_told(
    step: &Running,
    elapsed: Duration,
    cause: Option<&String>,
    told: Option<&SlowStep>,
) -> bool {
    let told = told.filter(|told| told.since == step.since);
    let Some(told) = told else {
        return elapsed >= SLOW_STEP_THRESHOLD;
    };
    elapsed >= told.elapsed * 2 || cause.is_some_and(|cause| told.cause.as_ref() != Some(cause))
}

#[cfg(test)]
mod tests {
    use kind_node::request::StepId;

    use super::*;

    #[test]
    fn a_slow_step_is_told_now_and_then() {
        let since = Instant::now();
        let step = Running {
            id: StepId::ApiServer,
            name: "a".to_owned(),
            since,
        };
        let (seconds, cause) = (Duration::from_secs, "etcd".to_owned());
        let told = |elapsed, cause: Option<&String>| {
            Some(SlowStep {
                since,
                elapsed,
                cause: cause.cloned(),
            })
        };
        let is_told = |elapsed, cause, told: Option<SlowStep>| {
            is_to_be_told(&step, seconds(elapsed), cause, told.as_ref())
        };
        assert!(!is_told(4, Some(&cause), None));
        assert!(is_told(5, None, None));
        assert!(!is_told(9, None, told(seconds(5), None)));
        assert!(is_told(10, None, told(seconds(5), None)));
        assert!(is_told(6, Some(&cause), told(seconds(5), None)));
        assert!(!is_told(6, Some(&cause), told(seconds(5), Some(&cause))));
        assert!(!is_told(6, None, told(seconds(5), Some(&cause))));
    }
}
