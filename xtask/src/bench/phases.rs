//! How long each phase of a create took, from the lines that both commands print.

use std::io::{BufRead, Read};
use std::time::{Duration, Instant};

/// The phases that are compared: a title and the words with which the lines about it begin.
pub(super) const PHASES: [(&str, &[&str]); 6] = [
    ("prepare nodes", &["Preparing nodes"]),
    (
        "write config",
        &[
            "Writing configuration",
            "Configuring the external load balancer",
        ],
    ),
    ("start control plane", &["Starting control-plane"]),
    (
        "CNI + storage",
        &["Installing CNI", "Installing StorageClass"],
    ),
    ("join nodes", &["Joining"]),
    ("wait for Ready", &["Waiting"]),
];

/// Time of each phase of [`PHASES`], and of the whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Times {
    pub(super) phases: [Duration; PHASES.len()],
    pub(super) total: Duration,
}

/// Reads lines as they come and returns them with their times.
pub(super) fn watch(lines: impl Read, began: Instant) -> Vec<(Duration, String)> {
    let mut seen = Vec::new();
    for line in std::io::BufReader::new(lines).lines() {
        let Ok(line) = line else { break };
        seen.push((began.elapsed(), line));
    }
    seen
}

/// Adds up the phases. A phase lasts from its first line ("•") to its last one ("✓").
pub(super) fn times(lines: &[(Duration, String)], total: Duration) -> Times {
    let mut times = Times {
        total,
        ..Times::default()
    };
    let mut begun: Option<(usize, Duration)> = None;
    for (at, line) in lines {
        let Some((mark, text)) = line.trim_start().split_once(' ') else {
            continue;
        };
        match (mark, begun) {
            ("•", _) => begun = phase(text).map(|phase| (phase, *at)),
            ("✓", Some((phase, since))) => {
                times.phases[phase] += at.saturating_sub(since);
                begun = None;
            }
            _ => {}
        }
    }
    times
}

fn phase(text: &str) -> Option<usize> {
    let begins = |starts: &&[&str]| starts.iter().any(|words| text.starts_with(words));
    PHASES.iter().position(|(_, starts)| begins(starts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_added_up() {
        let lines = [
            (0, "Creating cluster \"kind\" ..."),
            (10, " • Ensuring node image (kindest/node:debian) 🖼️  ..."),
            (20, " ✓ Ensuring node image (kindest/node:debian) 🖼️"),
            (20, " • Preparing nodes 📦   ..."),
            (50, " ✓ Preparing nodes 📦 "),
            (50, " • Installing CNI 🔌  ..."),
            (57, " ✓ Installing CNI 🔌"),
            (57, " • Installing StorageClass 💾  ..."),
            (60, " ✓ Installing StorageClass 💾"),
            (60, " • Waiting ≤ 2m0s for control-plane = Ready ⏳  ..."),
            (65, " ✓ Waiting ≤ 2m0s for control-plane = Ready ⏳"),
            (65, " • Ready after 18s 💚"),
        ];
        let second = Duration::from_secs;
        let lines = lines.map(|(at, line)| (second(at), line.to_owned()));
        let times = times(&lines, second(66));
        let expected = [30, 0, 0, 10, 0, 5].map(second);
        assert_eq!(times.phases, expected);
        assert_eq!(times.total, second(66));
    }
}
