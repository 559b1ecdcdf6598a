//! The steps of a creation, side by side.

use std::time::Duration;

use super::phases::{PHASES, Times};

/// Renders a Markdown table of creations: a line for each phase with the times of every run in seconds, and the totals.
pub(super) fn render(creations: &[(String, Times)]) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for (title, _) in creations {
        if !titles.contains(&title.as_str()) {
            titles.push(title);
        }
    }
    let cell = |title: &&str, pick: &dyn Fn(&Times) -> Duration| {
        let own = creations.iter().filter(|(of, _)| of == title);
        let times: Vec<_> = own
            .map(|(_, times)| format!("{:.1}", pick(times).as_secs_f64()))
            .collect();
        format!("{} s", times.join(" / "))
    };
    let line = |name: &str, pick: &dyn Fn(&Times) -> Duration| {
        row(name, titles.iter().map(|title| cell(title, pick)))
    };
    let mut lines = vec![
        row("step", titles.iter().map(|title| (*title).to_owned())),
        row("---", titles.iter().map(|_| "---".to_owned())),
    ];
    for (index, (title, _)) in PHASES.iter().enumerate() {
        lines.push(line(title, &|times| times.phases[index]));
    }
    lines.push(line("total", &|times| times.total));
    lines.join("\n")
}

fn row(title: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    format!("| {title} | {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_shown() {
        let times = |seconds| Times {
            total: Duration::from_secs(seconds),
            ..Times::default()
        };
        let creations = [("kind", 40), ("ours", 11), ("kind", 44)];
        let creations = creations.map(|(name, seconds)| (name.to_owned(), times(seconds)));
        let table = render(&creations);
        assert!(table.starts_with("| step | kind | ours |\n"), "{table}");
        assert!(
            table.ends_with("| total | 40.0 / 44.0 s | 11.0 s |"),
            "{table}"
        );
    }
}
