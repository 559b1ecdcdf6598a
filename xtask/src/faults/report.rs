//! The table of what came of every fault.

use std::fmt::Write;
use std::time::Duration;

/// What came of a fault.
pub(super) struct Result {
    pub(super) id: &'static str,
    pub(super) elapsed: Duration,
    /// What is not as it should be.
    pub(super) problems: Vec<String>,
}

/// A line for each, with its time beside that of a creation that nothing stands in the way of.
pub(super) fn render(results: &[Result], plain: Duration) -> String {
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    let mut table = "| fault | time | as it should be |\n|---|---|---|\n".to_owned();
    let mut line = |name: &str, time: Duration, verdict: &str| {
        let _ = writeln!(table, "| {name} | {} | {verdict} |", seconds(time));
    };
    line("(none)", plain, "");
    for result in results {
        let verdict = match result.problems.as_slice() {
            [] => "yes".to_owned(),
            problems => problems.join("; "),
        };
        line(result.id, result.elapsed, &verdict);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_line() {
        let result = |id, problems| Result {
            id,
            elapsed: Duration::from_millis(1500),
            problems,
        };
        let results = [
            result("a", Vec::new()),
            result("b", vec!["c".to_owned(), "d".to_owned()]),
        ];
        let table = render(&results, Duration::from_secs(9));
        let lines: Vec<_> = table.lines().skip(2).collect();
        let expected = [
            "| (none) | 9.0 s |  |",
            "| a | 1.5 s | yes |",
            "| b | 1.5 s | c; d |",
        ];
        assert_eq!(lines, expected);
    }
}
