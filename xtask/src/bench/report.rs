//! The result of a contest for people and for programs.

use serde_json::{Value, json};

use super::results::Results;
use super::rows::{Row, Values, rows};
use super::steps;

/// What the contest was held with.
pub(super) struct Setting {
    pub(super) machine: Value,
    pub(super) versions: Value,
    pub(super) runs: usize,
}

/// As Markdown.
pub(super) fn render_markdown(setting: &Setting, results: &Results) -> String {
    let rows = rows(results);
    let mut text = format!(
        "Medians of {} runs (lowest – highest).\n\nMachine: {}\n\nVersions: {}\n\n",
        setting.runs,
        describe(&setting.machine),
        describe(&setting.versions)
    );
    text += "| case | engine | ours | kind 0.33 on docker | ratio | before | ratio | goal |\n";
    text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    text += &rows.iter().map(render_row).collect::<String>();
    for (title, failure) in failures(&rows) {
        text += &format!("\n{title} failed:\n\n```\n{failure}\n```\n");
    }
    text + "\nOne node, step by step:\n\n" + &steps::render(&results.steps) + "\n"
}

/// As JSON.
pub(super) fn to_json(setting: &Setting, results: &Results) -> Value {
    let rows: Vec<_> = rows(results).iter().map(Row::to_json).collect();
    json!({
        "machine": setting.machine,
        "versions": setting.versions,
        "runs": setting.runs,
        "rows": rows,
    })
}

fn describe(value: &Value) -> String {
    let entries = value.as_object().into_iter().flatten();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let entries: Vec<_> = entries
        .map(|(name, value)| format!("{name} {}", text(value)))
        .collect();
    entries.join(", ")
}

fn render_row(row: &Row) -> String {
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    let goals = [row.goal.ratio, row.goal.ratio_before];
    let goals: Vec<_> = goals
        .into_iter()
        .flatten()
        .map(|goal| format!("≤ {goal:.2}"))
        .collect();
    let met = match row.is_met() {
        Some(true) => " ✓",
        Some(false) => " ✗",
        None => "",
    };
    let cells = [
        row.case.id.to_owned(),
        row.engine.to_owned(),
        render_values(row.ours.as_ref(), row.case.unit),
        render_values(row.original.as_ref(), row.case.unit),
        ratio(row.ratio()),
        render_values(row.before.as_ref(), row.case.unit),
        ratio(row.ratio_before()),
        goals.join(", ") + met,
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn render_values(values: Option<&Values>, unit: &str) -> String {
    let Some(values) = values else {
        return String::new();
    };
    match (values.median(), values.spread()) {
        (Some(median), Some((low, high))) => format!("{median:.2} {unit} ({low:.2} – {high:.2})"),
        _ => "failed".to_owned(),
    }
}

/// Who failed in what, and why.
fn failures(rows: &[Row]) -> Vec<(String, String)> {
    let mut failures = Vec::new();
    for row in rows {
        let original = (row.engine == "docker").then_some(&row.original);
        let of = [
            ("ours", Some(&row.ours)),
            ("before", Some(&row.before)),
            ("kind 0.33", original),
        ];
        for (who, values) in of {
            let values = values.and_then(Option::as_ref);
            if let Some(failure) = values.and_then(|values| values.failure.clone()) {
                failures.push((
                    format!("{} of {who} on {}", row.case.id, row.engine),
                    failure,
                ));
            }
        }
    }
    failures
}
