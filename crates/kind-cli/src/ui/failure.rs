//! How a failure looks.

use super::Settings;
use crate::exit::Failure;

/// What went wrong and why, what the failed program printed, what to do, and where to look.
pub(super) fn render_failure(failure: &Failure, settings: &Settings) -> String {
    let mut lines = format!(
        "{} {}",
        render_heading("ERROR:", settings),
        failure.message()
    );
    if let Some(error) = failure.error() {
        lines.push_str(&render_causes(error));
        lines.push_str(&render_details(error, settings));
    }
    if let Some(hint) = choose_hint(failure) {
        lines.push_str(&format!("\n\nhint: {hint}"));
    }
    if let Some(evidence) = failure.error().and_then(kind::Error::evidence) {
        let directory = evidence.display();
        lines.push_str(&format!("\n\nLogs of the nodes are kept in {directory}"));
    }
    if let Some(problem) = failure.error().and_then(kind::Error::evidence_problem) {
        lines.push_str(&format!("\n\nfailed to collect all logs: {problem}"));
    }
    lines
}

/// What to do; of a program that failed for a reason that nobody knows, where to read on.
fn choose_hint(failure: &Failure) -> Option<String> {
    failure.remedy().or_else(|| {
        let output = failure.error()?.output()?;
        let code = failure.code();
        (!output.is_empty()).then(|| format!("`kind explain {code}` tells more of such failures"))
    })
}

/// What was found to be in the way, each with the lines that show it. What the message says already is not said again.
fn render_causes(error: &kind::Error) -> String {
    let message = error.to_string();
    let mut lines = String::new();
    for check in error.causes() {
        let cause = check.to_string();
        if !message.contains(&cause) {
            lines.push_str(&format!("\n{cause}"));
        }
        for evidence in &check.evidence {
            let node = error.node().unwrap_or_default();
            lines.push_str(&format!("\n  {node} {}:", evidence.path));
            let shown = evidence.lines.iter();
            shown.for_each(|line| lines.push_str(&format!("\n    {line}")));
        }
    }
    lines
}

/// What the failed program printed, and for those who ask what led to what.
fn render_details(error: &kind::Error, settings: &Settings) -> String {
    let mut lines = String::new();
    let gap = if settings.smart { "\n" } else { "\n\n" };
    if let Some(output) = error.output().filter(|output| !output.is_empty()) {
        let heading = render_heading("Command Output:", settings);
        lines.push_str(&format!("{gap}{heading} {}", output.trim_end()));
    }
    if settings.verbosity >= 1 {
        let heading = render_heading("Stack Trace:", settings);
        lines.push_str(&format!("{gap}{heading} \n{}", render_frames(error)));
    }
    lines
}

/// The error's code and, from the outermost to the innermost, what failed because of what.
fn render_frames(error: &kind::Error) -> String {
    let mut text = error.code().to_string();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(frame) = cause {
        text.push_str(&format!("\n\t{frame}"));
        cause = frame.source();
    }
    text
}

fn render_heading(text: &str, settings: &Settings) -> String {
    if settings.smart {
        format!("\x1b[31m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_kinds() {
        let failure =
            Failure::during("failed to create cluster")(kind::Error::ClusterExists("a".into()));
        let text = render_failure(&failure, &Settings::default());
        let expected = "ERROR: failed to create cluster: node(s) already exist for a cluster with \
                        the name \"a\"\n\nhint: ";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn a_trace_of_causes_is_for_those_who_ask() {
        let settings = Settings {
            verbosity: 1,
            ..Settings::default()
        };
        let failure = Failure::from(kind::Error::NoSuchCluster("a".into()));
        let expected = "ERROR: unknown cluster \"a\"\n\nStack Trace: \nKIND-CLUSTER-MISSING\n\t\
                        unknown cluster \"a\"";
        assert_eq!(render_failure(&failure, &settings), expected);
    }

    #[test]
    fn headings_are_red_on_a_smart_terminal() {
        let settings = Settings {
            smart: true,
            ..Settings::default()
        };
        let text = render_failure(&Failure::Message("no".to_owned()), &settings);
        assert_eq!(text, "\x1b[31mERROR:\x1b[0m no");
    }
}
