//! What a program said last before it ended.

/// How klog's programs tell why they end.
const COMMAND_FAILED: &str = "\"command failed\" err=";
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
/// Longer words are cut: one line is to be read by people.
const LONGEST: usize = 320;

/// The reason with which a program ended, in one line, from the end of its log. Without one the last line that tells
/// of an error, or the last line at all; `None` for a log without lines.
pub fn final_words(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let of_each = |reads: &dyn Fn(usize) -> Option<String>| (0..lines.len()).rev().find_map(reads);
    let said = of_each(&|at| read_command_failed(&lines, at))
        .or_else(|| of_each(&|at| read_fatal_json(lines[at])))
        .or_else(|| of_each(&|at| read_beginning(lines[at])))
        .or_else(|| of_each(&|at| read_klog_error(lines[at])))
        .or_else(|| lines.last().map(|line| line.trim().to_owned()))?;
    Some(cut(said))
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
    if !line.starts_with('{') {
        return None;
    }
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if !matches!(line["level"].as_str()?, "fatal" | "panic") {
        return None;
    }
    let message = line["msg"].as_str().unwrap_or_default();
    Some(match line["error"].as_str() {
        Some(error) => format!("{message}: {error}"),
        None => message.to_owned(),
    })
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

/// `E1128 21:58:18.8 1 file.go:7] words`, of severity error or fatal.
fn read_klog_error(line: &str) -> Option<String> {
    let mut characters = line.chars();
    let severity = characters.next()?;
    if !matches!(severity, 'E' | 'F') || !characters.next()?.is_ascii_digit() {
        return None;
    }
    let (_, words) = line.split_once("] ")?;
    Some(words.trim().to_owned())
}

/// A string as Go quotes it, without that.
fn unquote(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches('"').to_owned())
}

/// Words that people can read in a glance.
pub(crate) fn cut(words: String) -> String {
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &words[..end]),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_of_program_is_understood() {
        for (log, words) in [
            (
                "I1 a\nE1128 21:55:13.8 9725 run.go:72] \"command failed\" err=\"open \\\"/a\\\": no such file\"\n",
                "open \"/a\": no such file",
            ),
            (
                "E1128 21:58:18.6 12002 run.go:72] \"command failed\" err=<\n\tObject 'a' is missing in 'b\n\t'\n >\n",
                "Object 'a' is missing in 'b '",
            ),
            ("Error: unknown flag: --a\n\n", "unknown flag: --a"),
            (
                "flag provided but not defined: -a\nUsage:\n\n  etcd [flags]\n    Start an etcd server.\n",
                "flag provided but not defined: -a",
            ),
            (
                "{\"level\":\"info\",\"msg\":\"a\"}\n{\"level\":\"fatal\",\"msg\":\"b\",\"error\":\"c\"}\n",
                "b: c",
            ),
            ("E1128 21:58:18.6 1 a.go:1] b\nI1128 a.go:1] c\n", "b"),
            ("one\ntwo\n", "two"),
        ] {
            assert_eq!(final_words(log).as_deref(), Some(words));
        }
        assert_eq!(final_words("\n \n"), None);
    }

    proptest! {
        #[test]
        fn any_log_is_read(log in "(?s).{0,200}", line in "[ -~é…]{400,600}") {
            let _ = final_words(&log);
            let words = final_words(&line).unwrap_or_default();
            prop_assert!(words.chars().count() <= LONGEST + 2);
        }
    }
}
