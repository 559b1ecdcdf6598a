//! One row for each case and engine: medians, and what they are of those of others.

use serde_json::{Value, json};

use super::cases::{CASES, Case, Goal};
use super::contestant::Who;
use super::results::Results;

/// A case on an engine.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) case: &'static Case,
    pub(super) engine: &'static str,
    pub(super) ours: Option<Values>,
    /// The original's, which is always on docker.
    pub(super) original: Option<Values>,
    /// Those of an earlier kind of ours, on the same engine.
    pub(super) before: Option<Values>,
    pub(super) goal: Goal,
}

/// What was measured in all runs of a case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values {
    /// From the lowest to the highest.
    values: Vec<f64>,
    /// Why the first run that failed did.
    pub(super) failure: Option<String>,
}

impl Values {
    fn collect(results: &Results, case: &str, who: Who, engine: &str) -> Option<Self> {
        let is_of = |name: &str, of: Who| name == engine && of == who;
        let samples = results.samples.iter();
        let samples: Vec<_> = samples
            .filter(|sample| sample.case == case && is_of(sample.engine, sample.who))
            .collect();
        let mut values: Vec<f64> = samples
            .iter()
            .filter_map(|sample| sample.value.as_ref().ok())
            .copied()
            .collect();
        values.sort_unstable_by(f64::total_cmp);
        let failure = samples
            .iter()
            .find_map(|sample| sample.value.as_ref().err())
            .cloned();
        (!samples.is_empty()).then_some(Self { values, failure })
    }

    /// The middle one; of two in the middle the higher one.
    pub(super) fn median(&self) -> Option<f64> {
        self.values.get(self.values.len() / 2).copied()
    }

    /// The lowest and the highest.
    pub(super) fn spread(&self) -> Option<(f64, f64)> {
        Some((*self.values.first()?, *self.values.last()?))
    }

    fn to_json(&self) -> Value {
        json!({
            "median": self.median().map(round),
            "spread": self.spread().map(|(low, high)| [round(low), round(high)]),
            "runs": self.values.len(),
            "failure": self.failure,
        })
    }
}

impl Row {
    /// Ours as a part of the original's.
    pub(super) fn ratio(&self) -> Option<f64> {
        divide(self.ours.as_ref(), self.original.as_ref())
    }

    /// Ours as a part of an earlier kind's.
    pub(super) fn ratio_before(&self) -> Option<f64> {
        divide(self.ours.as_ref(), self.before.as_ref())
    }

    /// Whether every goal is reached; none where there is no goal, or nothing to compare with.
    pub(super) fn is_met(&self) -> Option<bool> {
        let met = |goal: Option<f64>, ratio: Option<f64>| Some(ratio? <= goal?);
        let parts = [
            met(self.goal.ratio, self.ratio()),
            met(self.goal.ratio_before, self.ratio_before()),
        ];
        parts.into_iter().flatten().reduce(|all, one| all && one)
    }

    pub(super) fn to_json(&self) -> Value {
        let values = |values: &Option<Values>| values.as_ref().map(Values::to_json);
        json!({
            "case": self.case.id,
            "engine": self.engine,
            "unit": self.case.unit,
            "ours": values(&self.ours),
            "original": values(&self.original),
            "ratio": self.ratio().map(round),
            "before": values(&self.before),
            "ratio_before": self.ratio_before().map(round),
            "goal": {
                "ratio": self.goal.ratio.map(round),
                "ratio_before": self.goal.ratio_before.map(round),
                "met": self.is_met(),
            },
        })
    }
}

/// A row for everything that was measured of ours.
pub(super) fn rows(results: &Results) -> Vec<Row> {
    let mut rows = Vec::new();
    for case in &CASES {
        for engine in ["native", "docker", "podman"] {
            let of = |who, engine| Values::collect(results, case.id, who, engine);
            let Some(ours) = of(Who::Ours, engine) else {
                continue;
            };
            rows.push(Row {
                case,
                engine,
                ours: Some(ours),
                original: of(Who::Original, "docker"),
                before: of(Who::Before, engine),
                goal: case.goal(engine),
            });
        }
    }
    rows
}

fn divide(one: Option<&Values>, other: Option<&Values>) -> Option<f64> {
    Some(one?.median()? / other?.median()?)
}

/// To three places, as the clock is no better.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::results::Sample;
    use super::*;

    fn sample(who: Who, engine: &'static str, value: Result<f64, &str>) -> Sample {
        Sample {
            case: "create-1",
            who,
            engine,
            value: value.map_err(str::to_owned),
        }
    }

    #[test]
    fn medians_are_compared() {
        let results = Results {
            samples: vec![
                sample(Who::Original, "docker", Ok(18.0)),
                sample(Who::Original, "docker", Ok(17.0)),
                sample(Who::Original, "docker", Ok(40.0)),
                sample(Who::Ours, "native", Ok(2.7)),
                sample(Who::Before, "native", Ok(5.4)),
            ],
            ..Results::default()
        };
        let rows = rows(&results);
        let [row] = rows.as_slice() else {
            panic!("{rows:?}")
        };
        let json = row.to_json();
        assert_eq!(json["original"]["median"], 18.0);
        assert_eq!(json["original"]["spread"], json!([17.0, 40.0]));
        assert_eq!(
            (&json["ratio"], &json["ratio_before"]),
            (&json!(0.15), &json!(0.5))
        );
        assert_eq!(json["goal"]["met"], true);
    }

    #[test]
    fn who_failed_has_a_reason_and_no_ratio() {
        let results = Results {
            samples: vec![
                sample(Who::Original, "docker", Err("no network")),
                sample(Who::Ours, "docker", Ok(3.0)),
            ],
            ..Results::default()
        };
        let json = rows(&results)[0].to_json();
        assert_eq!(json["original"]["failure"], "no network");
        assert_eq!(
            (&json["ratio"], &json["goal"]["met"]),
            (&Value::Null, &Value::Null)
        );
    }
}
