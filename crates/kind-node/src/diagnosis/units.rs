//! The journals of a node's units.

use std::process::Command;

/// Programs of the node that are no pods.
pub(super) const UNITS: [&str; 2] = ["containerd", "kubelet"];
/// Enough for two runs that failed at once, with the stack of every goroutine as kubelets before 1.23 print it.
const LINES: &str = "5000";
/// How systemd tells that a unit's program has ended by itself.
const ENDED: &str = "Main process exited";

/// What a unit's journal tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Journal {
    /// Lines of the run that goes on, or would.
    pub(super) current: Vec<String>,
    /// What each earlier run said, the latest one last.
    pub(super) ended: Vec<String>,
}

/// Reads the journal of a unit; an empty one where there is none.
pub(super) fn read_journal(unit: &str) -> Journal {
    let mut command = Command::new("journalctl");
    command.args(["--no-pager", "--quiet", "--boot", "--output", "short"]);
    command.args(["--lines", LINES, "--unit", unit]);
    let output = command.output().map(|output| output.stdout);
    parse_journal(&String::from_utf8_lossy(&output.unwrap_or_default()))
}

/// Splits a journal into runs. Its lines are `TIME HOST PROGRAM[PID]: MESSAGE`; what systemd says is none of the
/// program's.
fn parse_journal(text: &str) -> Journal {
    let mut journal = Journal::default();
    for line in text.lines() {
        let Some((place, message)) = line.split_once("]: ") else {
            continue;
        };
        if !place.contains(" systemd[") {
            journal.current.push(message.to_owned());
        } else if message.contains(ENDED) {
            journal.ended.push(journal.current.join("\n"));
            journal.current.clear();
        }
    }
    journal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_unit_are_told_apart() {
        let text = "\
Nov 28 22:02:56 a systemd[1]: Started kubelet.service - kubelet.
Nov 28 22:02:56 a kubelet[231]: one
Nov 28 22:02:56 a kubelet[231]: two]: three
Nov 28 22:02:56 a systemd[1]: kubelet.service: Main process exited, code=exited, status=1/FAILURE
Nov 28 22:02:56 a systemd[1]: kubelet.service: Failed with result 'exit-code'.
Nov 28 22:02:57 a systemd[1]: Started kubelet.service - kubelet.
-- No entries --
Nov 28 22:02:57 a kubelet[240]: four
";
        let journal = parse_journal(text);
        assert_eq!(journal.ended, ["one\ntwo]: three"]);
        assert_eq!(journal.current, ["four"]);
        assert_eq!(parse_journal(""), Journal::default());
    }
}
