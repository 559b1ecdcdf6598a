//! What was measured.

use std::time::Duration;

use super::contestant::{Contestant, Who};
use super::phases::Times;
use crate::Failure;
use crate::shell::say;

/// One measured value, or why there is none.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) case: &'static str,
    pub(super) who: Who,
    pub(super) engine: &'static str,
    pub(super) value: Result<f64, String>,
}

/// Everything of a contest.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) samples: Vec<Sample>,
    /// Step by step, of creations of one node.
    pub(super) steps: Vec<(String, Times)>,
}

impl Results {
    /// Takes a duration, in seconds.
    pub(super) fn add_time(
        &mut self,
        case: &'static str,
        contestant: &Contestant,
        time: Result<Duration, Failure>,
    ) {
        self.add(case, contestant, time.map(|time| time.as_secs_f64()));
    }

    /// Takes a value, and says it.
    pub(super) fn add(
        &mut self,
        case: &'static str,
        contestant: &Contestant,
        value: Result<f64, Failure>,
    ) {
        let value = value.map_err(|failure| failure.to_string());
        let shown = match &value {
            Ok(value) => format!("{value:.2}"),
            Err(failure) => failure.clone(),
        };
        say(&format!("{}: {case}: {shown}", contestant.title()));
        self.samples.push(Sample {
            case,
            who: contestant.who,
            engine: contestant.engine.name(),
            value,
        });
    }
}
