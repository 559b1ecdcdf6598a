//! How a failure looks.

use super::Settings;
use crate::exit::Failure;

/// What went wrong and why, what the failed program printed, what to do, and where to look.
pub(super) fn render(failure: &Failure, settings: &Settings) -> String {
    let mut lines = format!("{} {}", heading("ERROR:", settings), failure.message());
    let Some(error) = failure.error() else {
        return lines;
    };
    if let Some(output) = error.output().filter(|output| !output.is_empty()) {
        let gap = if settings.smart { "\n" } else { "\n\n" };
        let output = output.trim_end();
        lines.push_str(&format!(
            "{gap}{} {output}",
            heading("Command Output:", settings)
        ));
    }
    if settings.verbosity >= 1 {
        lines.push_str(&format!("\n\nError code: {}", error.code()));
    }
    if let Some(remedy) = error.remedy() {
        lines.push_str(&format!("\n\nhint: {remedy}"));
    }
    if let Some(evidence) = error.evidence() {
        lines.push_str(&format!(
            "\n\nLogs of the nodes are kept in {}",
            evidence.display()
        ));
    }
    lines
}

fn heading(text: &str, settings: &Settings) -> String {
    match settings.smart {
        true => format!("\x1b[31m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_kinds() {
        let failure =
            Failure::during("failed to create cluster")(kind::Error::ClusterExists("a".into()));
        let text = render(&failure, &Settings::default());
        let expected = "ERROR: failed to create cluster: node(s) already exist for a cluster with \
                        the name \"a\"\n\nhint: ";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn headings_are_red_on_a_smart_terminal() {
        let settings = Settings {
            smart: true,
            ..Settings::default()
        };
        let text = render(&Failure::Message("no".to_owned()), &settings);
        assert_eq!(text, "\x1b[31mERROR:\x1b[0m no");
    }
}
