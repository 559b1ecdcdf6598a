//! How long tests wait: made for a common machine, and stretched by one factor on others.

use std::time::Duration;

/// Variable with how many times slower than a common machine this one is, a whole number.
pub const SLOWNESS: &str = "KIND_E2E_SLOWNESS";

/// So many seconds of a common machine.
pub fn limit(seconds: u64) -> Duration {
    Duration::from_secs(seconds.saturating_mul(slowness()))
}

fn slowness() -> u64 {
    let told = std::env::var(SLOWNESS).ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// The arguments of a `kind` that waits as much longer as the machine is slower: `--wait 2m` and `--wait=2m`.
pub(crate) fn stretched(arguments: &[&str]) -> Vec<String> {
    stretch(arguments, slowness())
}

fn stretch(arguments: &[&str], factor: u64) -> Vec<String> {
    let mut before = "";
    let mut words = Vec::new();
    for word in arguments {
        let minutes = match word.strip_prefix("--wait=") {
            None if before == "--wait" => Some(*word),
            value => value,
        };
        let minutes = minutes.and_then(|text| text.strip_suffix('m')?.parse::<u64>().ok());
        words.push(match minutes {
            Some(minutes) if before == "--wait" => format!("{}m", minutes * factor),
            Some(minutes) => format!("--wait={}m", minutes * factor),
            None => (*word).to_owned(),
        });
        before = word;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_stretched_and_nothing_else() {
        let arguments = [
            "create",
            "--wait",
            "2m",
            "--wait=3m",
            "--name",
            "2m",
            "--wait=x",
        ];
        let words = stretch(&arguments, 5);
        assert_eq!(
            words,
            [
                "create",
                "--wait",
                "10m",
                "--wait=15m",
                "--name",
                "2m",
                "--wait=x"
            ]
        );
        assert_eq!(stretch(&arguments, 1), arguments);
    }
}
