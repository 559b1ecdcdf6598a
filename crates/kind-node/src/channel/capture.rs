//! What a program printed, within bounds: the beginning and the end of long outputs.

use std::collections::VecDeque;

/// How much of the beginning is kept; the first error often stands there.
const HEAD: usize = 64 * 1024;
/// How much of the end is kept; the reason for giving up stands there.
const TAIL: usize = 192 * 1024;

/// Output that grows without taking more than a fixed amount of memory.
#[derive(Debug, Default)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Capture {
    /// Takes the next piece of output.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = HEAD.saturating_sub(self.head.len());
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        // Only the last TAIL bytes of a piece can survive, whatever stands before them.
        let skipped = rest.len().saturating_sub(TAIL);
        let rest = &rest[skipped..];
        let surplus = (self.tail.len() + rest.len()).saturating_sub(TAIL);
        self.tail.drain(..surplus);
        self.tail.extend(rest);
        self.left_out += (surplus + skipped) as u64;
    }

    /// The output as text, with a line in the middle that says how much is missing there.
    pub(super) fn captured_text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.left_out == 0 {
            return String::from_utf8_lossy(&[self.head.as_slice(), &tail].concat()).into_owned();
        }
        format!(
            "{}\n[{} bytes left out]\n{}",
            String::from_utf8_lossy(&self.head),
            self.left_out,
            String::from_utf8_lossy(&tail)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_kept_whole() {
        let mut capture = Capture::default();
        capture.push(b"one\n");
        capture.push("zwei äöü\n".as_bytes());
        assert_eq!(capture.captured_text(), "one\nzwei äöü\n");
    }

    #[test]
    fn a_character_across_head_and_tail_stays_whole() {
        let mut capture = Capture::default();
        capture.push(&vec![b'a'; HEAD - 1]);
        capture.push("ä".as_bytes());
        assert!(capture.captured_text().ends_with("aä"));
    }

    #[test]
    fn long_output_keeps_both_ends() {
        for piece in [1usize, 1000, TAIL + HEAD + 17] {
            let mut capture = Capture::default();
            capture.push(b"first");
            let mut sent = 5u64;
            while sent < 2 * (HEAD + TAIL) as u64 {
                capture.push(&vec![b'.'; piece]);
                sent += piece as u64;
            }
            capture.push(b"last");
            sent += 4;
            let text = capture.captured_text();
            assert!(text.starts_with("first"));
            assert!(text.ends_with("last"));
            let left_out = sent - (HEAD + TAIL) as u64;
            assert!(text.contains(&format!("\n[{left_out} bytes left out]\n")));
        }
    }
}
