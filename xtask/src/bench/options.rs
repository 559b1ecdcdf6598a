//! What the command line of a contest says.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::cases::{CASES, Case};
use crate::Failure;

/// Runs as often as nothing else is said.
const RUNS: usize = 5;

/// What is measured, how often, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) runs: usize,
    /// The ids of the cases; all of them if none is named.
    pub(super) cases: Vec<String>,
    /// The node image; the one from Debian's packages if there is none.
    pub(super) image: Option<PathBuf>,
    /// Whether the node image holds its images packed, as published ones do.
    pub(super) packed: bool,
    /// An earlier `kind` of ours.
    pub(super) before: Option<PathBuf>,
    /// Where the result goes.
    pub(super) output: Option<PathBuf>,
}

impl Options {
    /// Reads a command line.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            runs: RUNS,
            cases: Vec::new(),
            image: None,
            packed: false,
            before: None,
            output: None,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--runs" => options.runs = parse_runs(value()?)?,
                "--case" => options.cases.push(known_case(value()?)?),
                "--quick" => options.take_quick_ones(),
                "--image" => options.image = Some(value()?.into()),
                "--packed" => options.packed = true,
                "--before" => options.before = Some(value()?.into()),
                "--output" => options.output = Some(value()?.into()),
                _ => return Err(format!("bench does not know {word}").into()),
            }
        }
        Ok(options)
    }

    /// One run of what is measured in seconds.
    fn take_quick_ones(&mut self) {
        self.runs = 1;
        let quick = CASES.iter().filter(|case| case.quick);
        self.cases = quick.map(|case| case.id.to_owned()).collect();
    }

    /// Whether a case is asked for.
    pub(super) fn wants(&self, id: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|case| case == id)
    }

    /// For the process that runs the contest.
    pub(super) fn to_json(&self) -> Value {
        json!({ "runs": self.runs, "cases": self.cases, "before": self.before })
    }

    /// In that process.
    pub(super) fn from_json(text: &str) -> Result<Self, Failure> {
        let value: Value = serde_json::from_str(text)?;
        let cases = value["cases"].as_array().ok_or("no cases")?;
        Ok(Self {
            runs: usize::try_from(value["runs"].as_u64().ok_or("no runs")?)?,
            cases: cases
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            image: None,
            packed: false,
            before: value["before"].as_str().map(PathBuf::from),
            output: None,
        })
    }
}

fn parse_runs(value: &str) -> Result<usize, Failure> {
    match value.parse() {
        Ok(runs) if runs > 0 => Ok(runs),
        _ => Err("--runs needs a number".into()),
    }
}

fn known_case(id: &str) -> Result<String, Failure> {
    if CASES.iter().any(|case| case.id == id) {
        return Ok(id.to_owned());
    }
    let ids: Vec<_> = CASES.iter().map(|Case { id, .. }| *id).collect();
    Err(format!("no case is called {id}: {}", ids.join(", ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words).map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_is_asked_for_reaches_the_contest() {
        let options = parse("--runs 3 --case create-1 --case delete --before /old/kind").unwrap();
        let inside = Options::from_json(&options.to_json().to_string()).unwrap();
        assert_eq!(inside, options);
        assert!(inside.wants("delete") && !inside.wants("create-3"));
        assert!(parse("").unwrap().wants("create-3"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(parse("--runs 0").unwrap_err(), "--runs needs a number");
        assert_eq!(parse("--image").unwrap_err(), "--image needs a value");
        assert_eq!(parse("--fast").unwrap_err(), "bench does not know --fast");
        let unknown = parse("--case create").unwrap_err();
        assert!(
            unknown.starts_with("no case is called create: create-1, "),
            "{unknown}"
        );
    }
}
