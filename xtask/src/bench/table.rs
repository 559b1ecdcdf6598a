//! The table of a contest.

use std::time::Duration;

use super::phases::{PHASES, Times};

/// What one contestant needed, run by run.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) creates: Vec<Times>,
    pub(super) deletes: Vec<Duration>,
}

/// Renders a Markdown table: a line for each phase with the times of every run in seconds, the totals,
/// and the first contestant's median total as a multiple of each one's.
pub(super) fn render(columns: &[Column]) -> String {
    let mut lines = vec![
        row("step", columns.iter().map(|column| column.name.clone())),
        row("---", columns.iter().map(|_| "---".to_owned())),
    ];
    for (index, (title, _)) in PHASES.iter().enumerate() {
        let cell =
            |column: &Column| seconds(column.creates.iter().map(|times| times.phases[index]));
        lines.push(row(title, columns.iter().map(cell)));
    }
    let totals = |column: &Column| -> Vec<Duration> {
        column.creates.iter().map(|times| times.total).collect()
    };
    let bold = |text: String| format!("**{text}**");
    lines.push(row(
        "**total**",
        columns.iter().map(|column| bold(seconds(totals(column)))),
    ));
    lines.push(row(
        "delete",
        columns
            .iter()
            .map(|column| seconds(column.deletes.iter().copied())),
    ));
    let first = columns.first().and_then(|column| median(totals(column)));
    let ratio = |column: &Column| match (first, median(totals(column))) {
        (Some(first), Some(own)) => format!("1/{:.1}", first.as_secs_f64() / own.as_secs_f64()),
        _ => String::new(),
    };
    lines.push(row("of the first's time", columns.iter().map(ratio)));
    lines.join("\n")
}

fn row(title: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    format!("| {title} | {} |", cells.join(" | "))
}

fn seconds(times: impl IntoIterator<Item = Duration>) -> String {
    let times = times
        .into_iter()
        .map(|time| format!("{:.1}", time.as_secs_f64()));
    let times: Vec<_> = times.collect();
    if times.is_empty() {
        return "failed".to_owned();
    }
    format!("{} s", times.join(" / "))
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_and_the_ratio_are_shown() {
        let column = |name: &str, totals: &[u64]| Column {
            name: name.to_owned(),
            creates: totals
                .iter()
                .map(|total| Times {
                    total: Duration::from_secs(*total),
                    ..Times::default()
                })
                .collect(),
            deletes: vec![Duration::from_millis(500)],
        };
        let table = render(&[
            column("kind", &[40, 44, 60]),
            column("ours", &[11]),
            column("none", &[]),
        ]);
        let line = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap();
        assert_eq!(
            line("| **total**"),
            "| **total** | **40.0 / 44.0 / 60.0 s** | **11.0 s** | **failed** |"
        );
        assert_eq!(
            line("| of the"),
            "| of the first's time | 1/1.0 | 1/4.0 |  |"
        );
        assert_eq!(line("| delete"), "| delete | 0.5 s | 0.5 s | 0.5 s |");
    }
}
