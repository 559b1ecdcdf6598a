//! How a node ended, as far as its directory tells.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::state::NodeDirectory;

/// Of a console's log, so many bytes at its end are looked at.
const TAIL: u64 = 4096;
/// A line is cut to what people can read in a glance.
const LONGEST: usize = 300;

/// Why a node does not run: its exit code, if its monitor lived to write it, and the last line of its console.
pub(super) fn describe_end(directory: &NodeDirectory) -> String {
    let code = std::fs::read_to_string(directory.file("exit")).ok();
    let code = code.map(|code| format!("it ended with exit code {}", code.trim()));
    let words = read_tail(directory).as_deref().and_then(last_line);
    let words = words.map(|line| format!("its console ends with {line:?}"));
    let parts: Vec<_> = code.into_iter().chain(words).collect();
    parts.join(", ")
}

fn read_tail(directory: &NodeDirectory) -> Option<String> {
    let mut log = File::open(directory.file("log")).ok()?;
    let length = log.metadata().ok()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .ok()?;
    let mut tail = Vec::new();
    log.take(TAIL).read_to_end(&mut tail).ok()?;
    Some(String::from_utf8_lossy(&tail).into_owned())
}

/// The last line that says something, without colors.
fn last_line(log: &str) -> Option<String> {
    let lines = log.lines().rev().map(strip_colors);
    let mut lines = lines.filter(|line| !line.trim().is_empty());
    let line = lines.next()?;
    Some(line.trim().chars().take(LONGEST).collect())
}

/// A line without what a terminal takes for an instruction: `ESC [ … letter` and other controls.
fn strip_colors(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\x1b' && rest.next_if_eq(&'[').is_some() {
            let _ = rest.find(|end| end.is_ascii_alphabetic());
        } else if !character.is_control() {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_those_of_people() {
        for (log, words) in [
            (
                "a\n\x1b[0;1;31mFailed to b.\x1b[0m\r\n\r\n",
                Some("Failed to b."),
            ),
            (
                "Exiting PID 1...\n\x1b[!p\x1b]104\x07\x1b[?7h\n",
                Some("]104"),
            ),
            ("\n\r\n\x1b[0m\n", None),
            ("", None),
        ] {
            assert_eq!(last_line(log).as_deref(), words, "{log:?}");
        }
        assert_eq!(
            last_line(&"é".repeat(900)).unwrap().chars().count(),
            LONGEST
        );
    }
}
