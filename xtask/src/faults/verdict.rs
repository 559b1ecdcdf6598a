//! What must be true of every error.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::fault::Fault;
use super::trial::Ended;

/// Lines within which the cause stands.
const FIRST: usize = 5;
/// Time in which a cause ends a creation after it has shown.
const AT_ONCE: Duration = Duration::from_secs(10);
/// Places in a node that lines are shown of.
const OF_NODES: [&str; 2] = [" /var/log/", " journalctl -u "];
/// Before the place where logs were kept.
const KEPT: &str = "Logs of the nodes are kept in ";

/// What a command said of a fault: from the first word of the error to the end, or what a check found.
pub(super) fn error(fault: &Fault, text: &str) -> String {
    let Some(check) = fault.check else {
        return text
            .find("ERROR: ")
            .map_or(text, |start| &text[start..])
            .to_owned();
    };
    let mark = format!("[{check}]");
    let mut lines = text.lines().skip_while(|line| !line.ends_with(&mark));
    let first = lines.next();
    let rest = lines.take_while(|line| line.starts_with("     "));
    first.into_iter().chain(rest).collect::<Vec<_>>().join("\n")
}

/// What is not as it should be. `plain` is how long a creation takes that nothing stands in the way of: a cause that
/// ends one has shown by then.
pub(super) fn judge(fault: &Fault, ended: &Ended, plain: Duration, nodes: &str) -> Vec<String> {
    let error = error(fault, &ended.text);
    let first = error.lines().take(FIRST).collect::<Vec<_>>().join("\n");
    let says = |marks: &[&str]| marks.iter().any(|mark| error.contains(mark));
    let checks = [
        (
            ended.code == Some(1) || fault.check.is_some(),
            "the exit code is not 1",
        ),
        (
            first.contains(fault.cause),
            "the first lines do not say the cause",
        ),
        (says(&["hint: ", "remedy: "]), "there is no remedy"),
        (ended.elapsed < plain + AT_ONCE, "it took too long"),
        (nodes.is_empty(), "a node is left"),
        // Those of a cluster that stays are in it.
        (
            fault.keeps_nodes || keeps_logs(&ended.text),
            "the logs are not where it says",
        ),
    ];
    let failed = checks.into_iter().filter(|(is_so, _)| !is_so);
    failed.map(|(_, words)| words.to_owned()).collect()
}

/// Whether logs were kept where the error says so, and that it does if it shows lines of a node. They go.
fn keeps_logs(text: &str) -> bool {
    let Some(place) = text.lines().find_map(|line| line.strip_prefix(KEPT)) else {
        return !OF_NODES.iter().any(|mark| text.contains(mark));
    };
    let is_filled = fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_some());
    is_filled && fs::remove_dir_all(Path::new(place)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::fault::OF_CONFIG;
    use super::*;

    const TOLD: &str = "Creating ...\nERROR: failed: no room\n\nhint: make some\n";

    fn judged(text: &str, seconds: u64, nodes: &str) -> Vec<String> {
        let fault = Fault {
            cause: "no room",
            ..OF_CONFIG
        };
        let ended = Ended {
            text: text.to_owned(),
            code: Some(1),
            elapsed: Duration::from_secs(seconds),
        };
        judge(&fault, &ended, Duration::from_secs(5), nodes)
    }

    #[test]
    fn an_error_says_its_cause_soon_and_leaves_nothing() {
        assert!(judged(TOLD, 14, "").is_empty());
        assert_eq!(judged(TOLD, 15, ""), ["it took too long"]);
        assert_eq!(judged(TOLD, 1, "a"), ["a node is left"]);
        let late = TOLD.replace(": no room", &"\n".repeat(FIRST));
        assert_eq!(
            judged(&late, 1, ""),
            ["the first lines do not say the cause"]
        );
        let bare = TOLD.replace("hint: ", "");
        assert_eq!(judged(&bare, 1, ""), ["there is no remedy"]);
    }

    #[test]
    fn what_a_check_found_is_told_from_other_checks() {
        let fault = Fault {
            check: Some("a"),
            ..OF_CONFIG
        };
        let text = " ! b: c [b]\n     remedy: d\n ✗ e: f [a]\n     remedy: g\n ✓ 25 checks\n";
        assert_eq!(error(&fault, text), " ✗ e: f [a]\n     remedy: g");
    }

    #[test]
    fn logs_are_where_the_error_says() {
        let directory = tempfile::tempdir().unwrap();
        let logs = directory.path().join("logs");
        let text = format!("{TOLD}{KEPT}{}\n", logs.display());
        assert_eq!(judged(&text, 1, ""), ["the logs are not where it says"]);
        fs::create_dir_all(logs.join("node")).unwrap();
        assert!(judged(&text, 1, "").is_empty());
        assert!(!logs.exists());
        let none = format!("{TOLD}  node journalctl -u kubelet:\n    lost\n");
        assert_eq!(judged(&none, 1, ""), ["the logs are not where it says"]);
    }
}
