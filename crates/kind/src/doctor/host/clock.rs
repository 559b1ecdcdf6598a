//! The host's clock.

use std::time::{Duration, SystemTime};

use super::facts::Host;
use crate::doctor::outcome::{Outcome, Problem};

/// No release of this program is older: 2026-01-01.
const OLDEST_RELEASE: Duration = Duration::from_secs(1_767_225_600);
/// Certificates of clusters and authorities do not last longer: 2100-01-01.
const FAR_FUTURE: Duration = Duration::from_secs(4_102_444_800);

pub(super) fn look_at_clock(_: &Host) -> Outcome {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    judge_clock(now.unwrap_or_default())
}

fn judge_clock(since_epoch: Duration) -> Outcome {
    let year = 1970 + since_epoch.as_secs() / 31_556_952;
    if (OLDEST_RELEASE..FAR_FUTURE).contains(&since_epoch) {
        return Outcome::Passed(format!("it shows the year {year}"));
    }
    let found = format!(
        "the host's clock shows the year {year}: certificates of registries and clusters do not count then"
    );
    let remedy =
        "set it, for example with `sudo timedatectl set-ntp true`, before clusters are made";
    Problem::warning(found, "the time that it is", remedy).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn clocks_that_cannot_be_right_are_told() {
        let judged = |days: u64| told(&judge_clock(Duration::from_secs(days * 86_400)));
        assert!(judged(0).starts_with("warning: the host's clock shows the year 1970"));
        assert_eq!(judged(20_500), "passed: it shows the year 2026");
        assert!(judged(50_000).starts_with("warning: "));
    }
}
