//! The journals of a node's units.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// Programs of the node that are no pods.
pub(super) const UNITS: [&str; 2] = ["containerd", "kubelet"];
/// Enough for two runs that failed at once, with the stack of every goroutine as kubelets before 1.23 print it.
const LINES: &str = "5000";
/// More is not read, whatever the lines are.
const LONGEST_JOURNAL: u64 = 4 << 20;
/// Seconds after which nobody waits for a journal any more.
const TIMEOUT_SECONDS: &str = "3";
/// How systemd tells that a unit's program, or one that it runs before, has ended by itself.
const ENDED: [&str; 2] = ["Main process exited", "Control process exited"];

/// What a unit's journal tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Journal {
    /// Lines of the run that goes on, or would.
    pub(super) current: Vec<String>,
    /// What each earlier run said, the latest one last.
    pub(super) ended: Vec<String>,
}

/// How people see a unit's journal.
pub(super) fn journal_name(unit: &str) -> String {
    format!("journalctl -u {unit}")
}

/// Reads the journal of a unit since a time; an empty one where there is none.
pub(super) fn read_journal(unit: &str, since: SystemTime) -> Journal {
    let newest_first = read_newest_first(unit, since).unwrap_or_default();
    let lines = String::from_utf8_lossy(&newest_first);
    parse_journal(lines.lines().rev())
}

fn read_newest_first(unit: &str, since: SystemTime) -> io::Result<Vec<u8>> {
    let since = since.duration_since(SystemTime::UNIX_EPOCH);
    // A boot is the host's: an earlier life of the node belongs to it too.
    let since = format!("--since=@{}", since.unwrap_or_default().as_secs());
    let mut command = Command::new("timeout");
    command.args([TIMEOUT_SECONDS, "journalctl", "--no-pager", "--quiet"]);
    command.args([&since, "--output", "short", "--reverse"]);
    command.args(["--lines", LINES, "--unit", unit]);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut text = Vec::new();
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(LONGEST_JOURNAL).read_to_end(&mut text),
        None => Ok(0),
    };
    // Nobody reads on, so that it ends even if it has more to say.
    child.wait()?;
    read.map(|_| text)
}

/// Splits a journal into runs. Its lines are `TIME HOST PROGRAM[PID]: MESSAGE`; what systemd says is none of the
/// program's.
fn parse_journal<'a>(lines: impl Iterator<Item = &'a str>) -> Journal {
    let mut journal = Journal::default();
    for line in lines {
        let Some((place, message)) = line.split_once("]: ") else {
            continue;
        };
        if !place.contains(" systemd[") {
            journal.current.push(message.to_owned());
        } else if ENDED.iter().any(|words| message.contains(words)) {
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
Nov 28 22:02:57 a kind-node[239]: what it needs fails
Nov 28 22:02:57 a systemd[1]: kubelet.service: Control process exited, code=exited, status=1/FAILURE
Nov 28 22:02:57 a systemd[1]: Started kubelet.service - kubelet.
-- No entries --
Nov 28 22:02:57 a kubelet[240]: four
";
        let journal = parse_journal(text.lines());
        assert_eq!(journal.ended, ["one\ntwo]: three", "what it needs fails"]);
        assert_eq!(journal.current, ["four"]);
        assert_eq!(parse_journal("".lines()), Journal::default());
    }
}
