//! One thing that the program says about its work, in each form in which it is written.

use std::collections::BTreeMap;
use std::time::SystemTime;

use kind::{About, Detail, EventRecord, StepEnded, StepStarted, Verbosity, timestamp};
use serde::Serialize;

/// Who says what the library tells as events.
const LIBRARY: &str = "kind";

/// A diagnostic line before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagnostic {
    /// From which verbosity on it is shown.
    pub(super) level: Verbosity,
    /// How much it matters, in a word.
    pub(super) severity: &'static str,
    /// The words.
    pub(super) message: String,
    /// What it is about, and who says it.
    pub(super) about: About,
}

/// A line of `--log-format json`.
#[derive(Serialize)]
struct JsonLine<'a> {
    time: String,
    level: String,
    target: &'a str,
    node: Option<&'a str>,
    step: Option<&'a str>,
    message: &'a str,
    fields: &'a BTreeMap<String, String>,
}

impl Diagnostic {
    fn of_library(level: Verbosity, message: String) -> Self {
        let mut about = About::default();
        about.target = Some(LIBRARY.to_owned());
        Self {
            level,
            severity: "DEBUG",
            message,
            about,
        }
    }

    fn about_step(mut self, node: Option<String>, step: Option<&str>) -> Self {
        self.about.node = node;
        self.about.step_id = step.map(str::to_owned);
        self
    }

    /// As it looks at the first level: kind's own form.
    fn short_line(&self) -> String {
        format!("DEBUG: {}] {}", self.target(), self.sentence())
    }

    /// As it looks from the second level on: with its moment, node and step, or else with who says it.
    fn full_line(&self, moment: SystemTime) -> String {
        let about = &self.about;
        let place: Vec<_> = about
            .node
            .iter()
            .chain(&about.step_id)
            .map(String::as_str)
            .collect();
        let place = match place[..] {
            [] => self.target().to_owned(),
            _ => place.join(" "),
        };
        let (time, severity) = (timestamp(moment), self.severity);
        format!("{time} {severity} {place}: {}", self.sentence_in_place())
    }

    /// As a line for people who asked for that much.
    pub(super) fn text_line(&self, verbosity: i32, moment: SystemTime) -> String {
        if verbosity < Verbosity::Documents.level() {
            self.short_line()
        } else {
            self.full_line(moment)
        }
    }

    /// As an object of its own.
    pub(super) fn json_line(&self, moment: SystemTime) -> String {
        let line = JsonLine {
            time: timestamp(moment),
            level: self.severity.to_lowercase(),
            target: self.target(),
            node: self.about.node.as_deref(),
            step: self.about.step_id.as_deref(),
            message: self.words_in_place(),
            fields: &self.about.fields,
        };
        serde_json::to_string(&line).expect("text is written to memory")
    }

    /// As an event for programs.
    pub(super) fn into_record(self) -> EventRecord {
        EventRecord::Message {
            level: self.level.level(),
            text: self.sentence(),
            step: None,
            about: self.about,
        }
    }

    fn target(&self) -> &str {
        self.about.target.as_deref().unwrap_or(LIBRARY)
    }

    /// The words without the node, where that is said beside them.
    fn words_in_place(&self) -> &str {
        let node = self.about.node.as_deref();
        let words = node.and_then(|node| self.message.strip_prefix(node)?.strip_prefix(": "));
        words.unwrap_or(&self.message)
    }

    fn sentence(&self) -> String {
        format!("{}{}", self.message, self.values())
    }

    fn sentence_in_place(&self) -> String {
        format!("{}{}", self.words_in_place(), self.values())
    }

    fn values(&self) -> String {
        let fields = self.about.fields.iter();
        fields
            .map(|(name, value)| format!(" {name}={value}"))
            .collect()
    }
}

impl From<Detail> for Diagnostic {
    fn from(detail: Detail) -> Self {
        let step = detail.step.map(kind::StepId::as_str);
        Self::of_library(detail.level, detail.text).about_step(detail.node, step)
    }
}

impl From<StepStarted> for Diagnostic {
    fn from(step: StepStarted) -> Self {
        let id = step.id.as_str();
        Self::of_library(StepStarted::LEVEL, step.to_string()).about_step(Some(step.node), Some(id))
    }
}

impl From<StepEnded> for Diagnostic {
    fn from(step: StepEnded) -> Self {
        let id = step.id.as_str();
        Self::of_library(StepEnded::LEVEL, step.to_string()).about_step(Some(step.node), Some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic() -> Diagnostic {
        let text = "kind-worker: kubeadm join took 7 ms";
        let detail = Detail::new(Verbosity::Steps, text);
        let mut diagnostic =
            Diagnostic::from(detail.of_node("kind-worker").of_step(kind::StepId::Ready));
        diagnostic
            .about
            .fields
            .insert("code".to_owned(), "0".to_owned());
        diagnostic
    }

    #[test]
    fn a_line_has_more_from_the_second_level_on() {
        let whole = Diagnostic::from(Detail::new(Verbosity::Steps, "a"));
        for (diagnostic, level, line) in [
            (
                diagnostic(),
                1,
                "DEBUG: kind] kind-worker: kubeadm join took 7 ms code=0",
            ),
            (
                diagnostic(),
                2,
                "1970-01-01T00:00:00.000Z DEBUG kind-worker ready: kubeadm join took 7 ms code=0",
            ),
            (whole.clone(), 1, "DEBUG: kind] a"),
            (whole, 9, "1970-01-01T00:00:00.000Z DEBUG kind: a"),
        ] {
            assert_eq!(diagnostic.text_line(level, SystemTime::UNIX_EPOCH), line);
        }
    }

    #[test]
    fn a_line_is_an_object_for_programs() {
        let line = diagnostic().json_line(SystemTime::UNIX_EPOCH);
        let expected = r#"{"time":"1970-01-01T00:00:00.000Z","level":"debug","target":"kind","node":"kind-worker","step":"ready","message":"kubeadm join took 7 ms","fields":{"code":"0"}}"#;
        assert_eq!(line, expected);
    }
}
