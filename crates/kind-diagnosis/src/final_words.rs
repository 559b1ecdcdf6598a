//! What a program said last before it ended.

use crate::pattern::Captures;

/// How klog's programs tell why they end.
const COMMAND_FAILED: &str = "\"command failed\" err=";
/// What klog's programs tell as an error like others, and then end.
const LAST_MESSAGES: [&str; 8] = [
    "Failed to start ContainerManager",
    "Failed to start cAdvisor",
    "Failed to initialize internal modules",
    "Failed to create listener for podResources endpoint",
    "Failed to listen and serve",
    "Error initializing a controller",
    "Error building controllers",
    "Error starting controllers",
];
/// What other programs begin their last line with. Usage follows some of them.
const BEGINNINGS: [&str; 8] = [
    "Error: ",
    "panic: ",
    "fatal error: ",
    "flag provided but not defined",
    "invalid value ",
    "exec ",
    "containerd: ",
    "error: ",
];
/// What only follows from something else: it is nobody's cause, however late it is said.
const CONSEQUENCES: [&str; 6] = [
    "Unable to register mirror pod because node is not registered yet",
    "Post-timeout activity",
    "Error removing old endpoints",
    // Nothing has registered it yet; in the second form as klog quotes it.
    "node \"{}\" not found",
    r#"node \"{}\" not found"#,
    r#"nodes \"{}\" not found"#,
];
/// Longer words are cut: one line is to be read by people. What Go's programs wrap says its reason last.
const LONGEST: usize = 320;
const KEPT_END: usize = 180;

/// What the end of a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalWords {
    /// One line.
    pub text: String,
    /// A program says so when it ends; other lines may stand in the log of one that runs.
    pub is_end: bool,
}

/// The reason with which a program ended, from the end of its log. Without one the last line that tells of an error,
/// or the last line at all; `None` for a log without lines.
pub fn final_words(log: &str) -> Option<FinalWords> {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let of_each = |reads: &dyn Fn(usize) -> Option<String>| (0..lines.len()).rev().find_map(reads);
    let end = of_each(&|at| read_command_failed(&lines, at))
        .or_else(|| of_each(&|at| read_fatal_json(lines[at])))
        .or_else(|| of_each(&|at| read_critical(lines[at])))
        .or_else(|| of_each(&|at| read_klog(lines[at], 'F')))
        .or_else(|| of_each(&|at| read_last_message(lines[at])))
        .or_else(|| of_each(&|at| read_spawn_failure(lines[at])))
        .or_else(|| of_each(&|at| read_beginning(lines[at])));
    let is_end = end.is_some();
    let text = end
        .or_else(|| of_each(&|at| read_klog(lines[at], 'E').filter(|words| is_cause(words))))
        .or_else(|| {
            of_each(&|at| Some(lines[at].trim().to_owned()).filter(|line| is_cause(line)))
        })?;
    Some(FinalWords {
        text: strip_controls(&text),
        is_end,
    })
}

/// The last line in which a program that goes on tells of an error.
pub(crate) fn last_error(log: &str) -> Option<String> {
    let mut lines = log.lines().rev();
    let error = lines.find_map(|line| {
        let klog = read_klog(line, 'E');
        klog.or_else(|| read_json(line, &["error", "fatal", "panic"]))
            .or_else(|| read_etcd_error(line))
            .filter(|words| is_cause(words))
    });
    error.map(|words| strip_controls(&words))
}

/// Whether words may say why something fails, and not only that it does.
fn is_cause(words: &str) -> bool {
    let mut consequences = CONSEQUENCES.into_iter();
    consequences.all(|consequence| Captures::find_match(consequence, words).is_none())
}

/// `E… run.go:72] "command failed" err="…"`, where long errors stand between `<` and ` >` on lines of their own.
fn read_command_failed(lines: &[&str], at: usize) -> Option<String> {
    let (_, error) = lines[at].split_once(COMMAND_FAILED)?;
    if error.trim() != "<" {
        return Some(unquote(error.trim()));
    }
    let inner = lines[at + 1..].iter().take_while(|line| line.trim() != ">");
    let words: Vec<&str> = inner.map(|line| line.trim()).collect();
    Some(words.join(" "))
}

/// etcd's last line: `{"level":"fatal","msg":"…","error":"…"}`.
fn read_fatal_json(line: &str) -> Option<String> {
    read_json(line, &["fatal", "panic"])
}

fn read_json(line: &str, levels: &[&str]) -> Option<String> {
    if !line.starts_with('{') {
        return None;
    }
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if !levels.contains(&line["level"].as_str()?) {
        return None;
    }
    let message = line["msg"].as_str().unwrap_or_default();
    Some(match line["error"].as_str() {
        Some(error) => format!("{message}: {error}"),
        None => message.to_owned(),
    })
}

/// The last line of an etcd before 3.5: `2026-11-29 09:46:45.9 C | etcdmain: words`.
fn read_critical(line: &str) -> Option<String> {
    let (_, words) = line.split_once(" C | etcdmain: ")?;
    Some(words.trim().to_owned())
}

/// An etcd before 3.5: `2026-11-29 09:46:45.9 E | etcdserver: words`.
fn read_etcd_error(line: &str) -> Option<String> {
    let (_, words) = line.split_once(" E | ")?;
    Some(words.trim().to_owned())
}

/// systemd's words for a program that it could not start at all.
fn read_spawn_failure(line: &str) -> Option<String> {
    let (_, words) = line.split_once(".service: ")?;
    let failed = words.starts_with("Failed at step ");
    failed.then(|| words.trim().to_owned())
}

fn read_beginning(line: &str) -> Option<String> {
    let mut beginnings = BEGINNINGS.into_iter();
    let beginning = beginnings.find(|words| line.starts_with(words))?;
    let line = match beginning.to_ascii_lowercase().as_str() {
        "error: " => &line[beginning.len()..],
        _ => line,
    };
    Some(line.trim().to_owned())
}

/// `E1128 21:58:18.8 1 file.go:7] words`, of that severity.
fn read_klog(line: &str, severity: char) -> Option<String> {
    let date = line.strip_prefix(severity)?;
    if !date.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (_, words) = line.split_once("] ")?;
    Some(words.trim().to_owned())
}

/// `E… file.go:7] "message" err="error" …` of a program that ends then, as `message: error`.
fn read_last_message(line: &str) -> Option<String> {
    let words = read_klog(line, 'E')?;
    let (message, rest) = words.strip_prefix('"')?.split_once("\" err=")?;
    if !LAST_MESSAGES.contains(&message) {
        return None;
    }
    // Other keys follow some errors.
    let mut quoted = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let error = quoted.next().and_then(Result::ok);
    Some(format!("{message}: {}", error.as_deref().unwrap_or(rest)))
}

/// A string as Go quotes it, without that.
fn unquote(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches('"').to_owned())
}

/// What people can read in a glance.
pub(crate) fn cut(words: &str) -> String {
    let length = words.chars().count();
    if length <= LONGEST {
        return words.to_owned();
    }
    let start: String = words.chars().take(LONGEST - KEPT_END).collect();
    let end: String = words.chars().skip(length - KEPT_END).collect();
    format!("{start} … {end}")
}

/// A line without what would move a terminal's cursor.
pub(crate) fn strip_controls(line: &str) -> String {
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    line.trim().chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_of_program_is_understood() {
        for (log, words, is_end) in [
            (
                "I1 a\nE1128 21:55:13.8 9725 run.go:72] \"command failed\" err=\"open \\\"/a\\\": no such file\"\n",
                "open \"/a\": no such file",
                true,
            ),
            (
                "E1128 21:58:18.6 12002 run.go:72] \"command failed\" err=<\n\tObject 'a' is missing in 'b\n\t'\n >\n",
                "Object 'a' is missing in 'b '",
                true,
            ),
            ("Error: unknown flag: --a\n\n", "unknown flag: --a", true),
            (
                "flag provided but not defined: -a\nUsage:\n\n  etcd [flags]\n    Start an etcd server.\n",
                "flag provided but not defined: -a",
                true,
            ),
            (
                "{\"level\":\"info\",\"msg\":\"a\"}\n{\"level\":\"fatal\",\"msg\":\"b\",\"error\":\"c\"}\n",
                "b: c",
                true,
            ),
            ("F1128 21:58:18.6 1 a.go:1] b\ngoroutine 1\n", "b", true),
            (
                "E1128 21:58:18.6 1 a.go:1] \"Failed to initialize internal modules\" err=\"mkdir \\\"/a\\\": b\" pod=\"c\"\nE1128 21:58:18.6 1 a.go:1] d\n",
                "Failed to initialize internal modules: mkdir \"/a\": b",
                true,
            ),
            (
                "kubelet.service: Failed at step EXEC spawning /a: Exec format error\n",
                "Failed at step EXEC spawning /a: Exec format error",
                true,
            ),
            (
                "E1128 21:58:18.6 1 a.go:1] b\nI1128 a.go:1] c\n",
                "b",
                false,
            ),
            ("one\ntwo\n", "two", false),
        ] {
            let text = words.to_owned();
            assert_eq!(final_words(log), Some(FinalWords { text, is_end }));
        }
        assert_eq!(final_words("\n \n"), None);
    }

    #[test]
    fn the_last_error_of_a_program_that_goes_on_is_found() {
        for (log, words) in [
            (
                "E1128 21:58:18.6 1 a.go:1] a\nI1128 21:58:18.7 1 a.go:1] b\n",
                "a",
            ),
            (
                "{\"level\":\"error\",\"msg\":\"a\",\"error\":\"b\"}\n{\"level\":\"warn\",\"msg\":\"c\"}\n",
                "a: b",
            ),
            (
                "2026-11-29 09:46:45.9 E | etcdserver: a\n2026-11-29 09:46:45.9 W | etcdserver: b\n",
                "etcdserver: a",
            ),
        ] {
            assert_eq!(last_error(log).as_deref(), Some(words));
        }
        assert_eq!(last_error("I1128 21:58:18.7 1 a.go:1] b\n"), None);
    }

    #[test]
    fn what_only_follows_is_no_last_error() {
        let cause = "E1128 21:58:18.6 1 a.go:1] \"Failed\" err=\"odd\"\n";
        for consequence in [
            r#"kubelet.go:3336] "Unable to register mirror pod because node is not registered yet" err="node \"a\" not found" node="a""#,
            r#"eviction_manager.go:292] "Eviction manager: failed to get summary stats" err="failed to get node info: node \"a\" not found""#,
            r#"kubelet_node_status.go:473] "Error updating node status, will retry" err="error getting node \"a\": nodes \"a\" not found""#,
            r#"kubelet.go:2240] node "a" not found"#,
            r#"timeout.go:140] "Post-timeout activity" timeElapsed="5ms" method="GET" path="/livez" result=null"#,
            "controller.go:145] Error removing old endpoints from kubernetes service: no API server IP addresses were listed in storage",
        ] {
            let log = format!("{cause}E1128 21:58:19.6 1 {consequence}\n");
            let told = Some("\"Failed\" err=\"odd\"");
            assert_eq!(last_error(&log).as_deref(), told, "{consequence}");
            let last = final_words(&log).map(|words| words.text);
            assert_eq!(last.as_deref(), told, "{consequence}");
            let alone = &log[cause.len()..];
            assert_eq!((last_error(alone), final_words(alone)), (None, None));
        }
    }

    #[test]
    fn long_words_keep_their_reason() {
        let long = format!("failed to pull {}: not found", "a".repeat(900));
        let cut = cut(&long);
        assert!(cut.starts_with("failed to pull aa") && cut.ends_with("aa: not found"));
    }

    proptest! {
        #[test]
        fn any_log_is_read(log in "(?s).{0,200}", line in "[ -~é…]{400,600}") {
            let words = final_words(&log);
            prop_assert!(words.is_none_or(|words| !words.text.contains(char::is_control)));
            prop_assert!(cut(&line).chars().count() <= LONGEST + 3);
        }
    }
}
