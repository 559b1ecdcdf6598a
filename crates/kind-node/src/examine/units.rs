//! Whether the programs run without which a node does nothing.

use std::process::{Command, Stdio};

const NEEDED: [&str; 2] = ["containerd", "kubelet"];
/// Seconds after which systemd is not waited for.
const TIMEOUT_SECONDS: &str = "1";

/// Those that systemd does not run, each with what it says of it.
pub(super) fn find_stopped() -> Vec<String> {
    let mut command = Command::new("timeout");
    command.args([TIMEOUT_SECONDS, "systemctl", "is-active"]);
    let asked = command
        .args(NEEDED)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let states = asked.output().map(|output| output.stdout);
    parse_states(&String::from_utf8_lossy(&states.unwrap_or_default()))
}

/// A line of each, in their order. One that is being started is started again and again, which its journal tells of.
fn parse_states(states: &str) -> Vec<String> {
    let units = NEEDED.iter().zip(states.lines());
    let stopped = units.filter(|(_, state)| matches!(*state, "inactive" | "failed" | "unknown"));
    stopped
        .map(|(unit, state)| format!("{unit} ({state})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_do_not_run_are_named() {
        assert_eq!(parse_states("active\ninactive\n"), ["kubelet (inactive)"]);
        assert_eq!(
            parse_states("failed\nactivating\n"),
            ["containerd (failed)"]
        );
        assert_eq!(parse_states("active\nactive\n"), [] as [&str; 0]);
        assert_eq!(parse_states(""), [] as [&str; 0]);
    }
}
