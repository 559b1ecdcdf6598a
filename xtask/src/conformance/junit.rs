//! Reports in the form of JUnit: those of many test processes, and one of all that ran.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Failure;

/// How a test ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) seconds: f64,
    /// What failed, in the words of the test.
    pub(super) failure: Option<String>,
    /// It failed beside others and passed when it ran again by itself.
    pub(super) again: bool,
}

/// The tests that ran, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outcomes(pub(super) BTreeMap<String, Outcome>);

/// Longest message of a failure that is kept.
const LONGEST: usize = 4000;

/// What runs before and after the tests. It is told of only if it failed.
const AROUND: [&str; 4] = ["[Synchronized", "[Before", "[After", "[Report"];

impl Outcomes {
    /// Reads every report in a directory. Tests that were skipped are left out.
    ///
    /// # Errors
    /// There is none, or one that cannot be understood.
    pub(super) fn read(directory: &Path) -> Result<Self, Failure> {
        let mut outcomes = Self::default();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "xml") {
                let text = fs::read_to_string(&path)?;
                let added = outcomes.add(&text);
                added.map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(outcomes)
    }

    fn add(&mut self, text: &str) -> Result<(), roxmltree::Error> {
        let document = roxmltree::Document::parse(text)?;
        let cases = document.descendants();
        for case in cases.filter(|node| node.has_tag_name("testcase")) {
            let child = |name| case.children().find(|node| node.has_tag_name(name));
            let name = case.attribute("name").unwrap_or_default();
            let name = name.strip_prefix("[It] ").unwrap_or(name).trim();
            let failure = child("failure").or_else(|| child("error"));
            let around = AROUND.iter().any(|start| name.starts_with(start));
            if child("skipped").is_some() || (around && failure.is_none()) {
                continue;
            }
            let seconds = case.attribute("time").and_then(|time| time.parse().ok());
            let outcome = Outcome {
                seconds: seconds.unwrap_or_default(),
                failure: failure.map(message),
                again: false,
            };
            let known = self.0.get(name);
            if known.is_none_or(|known| known.failure.is_none()) {
                self.0.insert(name.to_owned(), outcome);
            }
        }
        Ok(())
    }

    /// Adds the tests of another run.
    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Takes over how tests ended that failed and ran again.
    pub(super) fn repeat(&mut self, others: Self) {
        for (name, outcome) in others.0 {
            if let Some(first) = self.0.get_mut(&name)
                && first.failure.is_some()
                && outcome.failure.is_none()
            {
                *first = Outcome {
                    again: true,
                    ..outcome
                };
            }
        }
    }

    /// The names of those that failed, with what failed.
    pub(super) fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, outcome)| {
            let failure = outcome.failure.as_deref()?;
            Some((name.as_str(), failure))
        })
    }

    /// One report of them all.
    pub(super) fn render(&self) -> String {
        let seconds: f64 = self.0.values().map(|outcome| outcome.seconds).sum();
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"Kubernetes e2e suite\" tests=\"{}\" failures=\"{}\" time=\"{seconds:.0}\">\n",
            self.0.len(),
            self.failures().count()
        );
        for (name, outcome) in &self.0 {
            let (name, seconds) = (escape(name), outcome.seconds);
            let _ = write!(text, "<testcase name=\"{name}\" time=\"{seconds:.1}\"");
            text += &match &outcome.failure {
                Some(failure) => format!("><failure>{}</failure></testcase>\n", escape(failure)),
                None => "/>\n".to_owned(),
            };
        }
        text + "</testsuite>\n"
    }
}

/// What a failure says, without what the test printed before and without the line that names a file of whoever built
/// the suite.
fn message(failure: roxmltree::Node<'_, '_>) -> String {
    let text = failure.attribute("message").filter(|text| !text.is_empty());
    let text = text.or_else(|| failure.text()).unwrap_or("no message");
    let lines = text.lines().filter(|line| !line.starts_with("In ["));
    let text = lines.collect::<Vec<_>>().join("\n");
    let end = text.char_indices().nth(LONGEST);
    text[..end.map_or(text.len(), |(end, _)| end)]
        .trim()
        .to_owned()
}

/// The text as content or as a quoted value of XML, which has no control characters.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' | '\t' => escaped.push(character),
            control if control.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the tests of 1.20 write it.
    const OLD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
  <testsuite name="Kubernetes e2e suite" tests="2" failures="1" errors="0" time="9.3">
      <testcase name="[sig-apps] Job should run [Conformance]" classname="Kubernetes e2e suite" time="4.5">
          <system-out>much</system-out>
      </testcase>
      <testcase name="[sig-node] Pods &lt;nil&gt; [Conformance]" classname="Kubernetes e2e suite" time="5">
          <failure type="Failure">k8s.io/kubernetes/test/e2e/x.go:84&#xA;Expected&#xA;    &lt;nil&gt;</failure>
          <system-out>more</system-out>
      </testcase>
      <testcase name="[sig-node] other" classname="Kubernetes e2e suite" time="0">
          <skipped></skipped>
      </testcase>
  </testsuite>"#;

    /// As those of later versions write it.
    const NEW: &str = r#"<testsuites tests="3" failures="1"><testsuite name="Kubernetes e2e suite">
      <properties><property name="SuiteSucceeded" value="false"></property></properties>
      <testcase name="[SynchronizedBeforeSuite]" classname="Kubernetes e2e suite" status="passed" time="0.1"></testcase>
      <testcase name="[It] [sig-node] Pods stop [Conformance]" classname="Kubernetes e2e suite" status="failed" time="7.5">
        <failure message="timed out" type="failed">[FAILED] timed out&#xA;In [It] at: x.go:1</failure>
      </testcase>
    </testsuite></testsuites>"#;

    fn read(texts: &[&str]) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for text in texts {
            outcomes.add(text).unwrap();
        }
        outcomes
    }

    #[test]
    fn reports_of_old_and_new_tests_are_read() {
        let outcomes = read(&[OLD, NEW]);
        let names: Vec<_> = outcomes.0.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "[sig-apps] Job should run [Conformance]",
                "[sig-node] Pods <nil> [Conformance]",
                "[sig-node] Pods stop [Conformance]",
            ]
        );
        let failures: Vec<_> = outcomes.failures().map(|(_, text)| text).collect();
        assert_eq!(
            failures,
            [
                "k8s.io/kubernetes/test/e2e/x.go:84\nExpected\n    <nil>",
                "timed out"
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_again_without_output() {
        let outcomes = read(&[OLD, NEW]);
        let text = outcomes.render();
        assert!(!text.contains("much"));
        assert_eq!(read(&[&text]), outcomes);
        assert!(
            text.contains("tests=\"3\" failures=\"2\" time=\"17\""),
            "{text}"
        );
    }

    #[test]
    fn a_test_that_passes_by_itself_is_marked() {
        let mut outcomes = read(&[OLD]);
        let passed = r#"<testsuite><testcase name="[sig-node] Pods &lt;nil&gt; [Conformance]" time="2"/></testsuite>"#;
        outcomes.repeat(read(&[passed]));
        let outcome = &outcomes.0["[sig-node] Pods <nil> [Conformance]"];
        assert!(outcome.again && outcome.failure.is_none());
        // What passed at once may run with it, as its name begins alike.
        let beside = r#"<testsuite><testcase name="[sig-apps] Job should run [Conformance]" time="2"/></testsuite>"#;
        outcomes.repeat(read(&[beside]));
        assert!(!outcomes.0["[sig-apps] Job should run [Conformance]"].again);
    }

    #[test]
    fn a_failure_stays_whatever_is_read_later() {
        let passed = r#"<testsuite><testcase name="[sig-node] Pods &lt;nil&gt; [Conformance]" time="2"/></testsuite>"#;
        assert_eq!(read(&[OLD, passed]).failures().count(), 1);
        assert_eq!(read(&[passed, OLD]).failures().count(), 1);
    }

    #[test]
    fn control_characters_are_left_out() {
        assert_eq!(
            escape("a\u{1b}[31m<\"&\"> b\n"),
            "a[31m&lt;&quot;&amp;&quot;&gt; b\n"
        );
    }
}
