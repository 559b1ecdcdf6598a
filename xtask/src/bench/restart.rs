//! A cluster that stops and starts again.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cluster::{CONTROL_PLANE, timed};
use super::contestant::{Contestant, Who};
use crate::Failure;

const PATIENCE: Duration = Duration::from_secs(180);

/// How long a stopped cluster of one node takes to let its administrator in. The original has no such commands: there
/// it is the engine that stops and starts the container.
pub(super) fn measure(contestant: &Contestant) -> Result<Duration, Failure> {
    if contestant.who == Who::Original {
        return restart_container(contestant);
    }
    timed(contestant, &["stop", "cluster", "--name", "bench"])?;
    timed(contestant, &["start", "cluster", "--name", "bench"])
}

fn restart_container(contestant: &Contestant) -> Result<Duration, Failure> {
    contestant.engine.client(&["stop", CONTROL_PLANE]);
    let began = Instant::now();
    contestant.engine.client(&["start", CONTROL_PLANE]);
    while contestant.kind.ask(&["get", "nodes"]).code != 0 {
        if began.elapsed() > PATIENCE {
            return Err("the API server does not answer".into());
        }
        sleep(Duration::from_millis(50));
    }
    Ok(began.elapsed())
}
