//! What came of the tests, as a table.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Results of tests by their names, for every way in the order in which it was tried.
#[derive(Default)]
pub(super) struct Results {
    ways: Vec<String>,
    tests: BTreeMap<String, BTreeMap<String, Outcome>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
}

impl Results {
    /// Takes what a suite printed: lines like `test docker::the_node_is_ready ... ok`. One that succeeds
    /// without any has no test for the engine and the filter.
    pub(super) fn add(&mut self, way: &str, suite: &str, printed: &str, succeeded: bool) {
        let tests: Vec<_> = printed.lines().filter_map(parse).collect();
        let explained = tests.iter().any(|(_, outcome)| *outcome == Outcome::Failed);
        for (test, outcome) in &tests {
            self.note(way, format!("{suite}: {test}"), *outcome);
        }
        if !succeeded && !explained {
            // It ended before its first test, or something was wrong after the last.
            let part = if tests.is_empty() { "start" } else { "end" };
            self.note(way, format!("{suite}: its {part}"), Outcome::Failed);
        }
    }

    /// Notes a way that could not be prepared, or was lost while a suite ran.
    pub(super) fn unprepared(&mut self, way: &str) {
        self.note(way, "the preparation".to_owned(), Outcome::Failed);
    }

    fn note(&mut self, way: &str, test: String, outcome: Outcome) {
        if !self.ways.iter().any(|known| known == way) {
            self.ways.push(way.to_owned());
        }
        let ways = self.tests.entry(test).or_default();
        ways.insert(way.to_owned(), outcome);
    }

    /// How many failed.
    pub(super) fn failures(&self) -> usize {
        let outcomes = self.tests.values().flat_map(BTreeMap::values);
        outcomes
            .filter(|outcome| **outcome == Outcome::Failed)
            .count()
    }

    /// A line for each test and a column for each way, in Markdown.
    pub(super) fn table(&self) -> String {
        let mut table = format!("| test | {} |\n|---|", self.ways.join(" | "));
        table.push_str(&"---|".repeat(self.ways.len()));
        for (test, outcomes) in &self.tests {
            let word = |way: &String| match outcomes.get(way) {
                Some(Outcome::Passed) => "ok",
                Some(Outcome::Failed) => "**failed**",
                None => "",
            };
            let words: Vec<_> = self.ways.iter().map(word).collect();
            // Writing to a string cannot fail.
            let _ = write!(table, "\n| {test} | {} |", words.join(" | "));
        }
        table.push('\n');
        table
    }
}

/// A test's name without its engine, and what came of it.
fn parse(line: &str) -> Option<(&str, Outcome)> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let outcome = match outcome.trim() {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        _ => return None,
    };
    let name = name.trim();
    Some((
        name.split_once("::").map_or(name, |(_, name)| name),
        outcome,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_has_a_column() {
        let mut results = Results::default();
        let printed =
            "running 2 tests\ntest docker::a ... ok\ntest docker::b    ... FAILED\n\nfailures:\n";
        results.add("docker", "clusters", printed, false);
        results.add("docker", "nodes", "", true);
        results.add("podman", "clusters", "test podman::a ... ok\n", true);
        results.unprepared("podman");
        results.add("podman", "nodes", "./nodes: not found\n", false);
        results.add(
            "podman",
            "features",
            "test podman::f ... ok\nsomething is left\n",
            false,
        );
        let table = "| test | docker | podman |\n|---|---|---|\n| clusters: a | ok | ok |\n\
                     | clusters: b | **failed** |  |\n| features: f |  | ok |\n\
                     | features: its end |  | **failed** |\n| nodes: its start |  | **failed** |\n\
                     | the preparation |  | **failed** |\n";
        assert_eq!((results.table().as_str(), results.failures()), (table, 4));
    }
}
