//! One round after the other.

use std::process::Command;

use kind_e2e::Traces;

use super::super::ground::{CLUSTER, Ground};
use super::super::trial;
use super::killing::kill_at;
use super::moments::{Moment, Moments};
use super::remains::Places;
use crate::Failure;
use crate::shell::{output, say};

/// Two nodes, which are made at once.
const NODES: &str = "nodes: [{role: control-plane}, {role: worker}]";

/// Plays so many rounds, and fails if something is left after one.
pub(in super::super) fn play_rounds(
    ground: &Ground,
    rounds: usize,
    seed: u64,
) -> Result<(), Failure> {
    say(&format!(
        "--rounds {rounds} --seed {seed} gives the same moments"
    ));
    guard_host(ground)?;
    let places = make_and_delete(ground)?;
    let mut failed = Vec::new();
    for (number, moment) in Moments::of_seed(seed).take(rounds).enumerate() {
        let number = number + 1;
        // What a round has left is not told of the next one again.
        let problems = play(ground, &places, moment, &places.look())?;
        let verdict = if problems.is_empty() {
            "clean"
        } else {
            "NOT CLEAN"
        };
        say(&format!("round {number}: {moment}: {verdict}"));
        problems
            .iter()
            .for_each(|problem| say(&format!("  {problem}")));
        failed.extend((!problems.is_empty()).then(|| number.to_string()));
    }
    if failed.is_empty() {
        say(&format!("{rounds} rounds left nothing behind"));
        return Ok(());
    }
    Err(format!("something is left after rounds {}", failed.join(", ")).into())
}

/// The firewall drops what it is not told to let through, so that nodes need grants.
fn guard_host(ground: &Ground) -> Result<(), Failure> {
    if ground.engine.is_native() {
        let mut policy = Command::new("iptables");
        output(policy.args(["-P", "FORWARD", "DROP"]))?;
    }
    Ok(())
}

/// A whole cluster first: what is kept for the next one is there then, and so is the way to look for the rest.
fn make_and_delete(ground: &Ground) -> Result<Places<'_>, Failure> {
    ground.delete();
    let ended = trial::run(ground.create(NODES)?)?;
    if ended.code != Some(0) {
        return Err(format!("a cluster that nobody kills fails:\n{}", ended.text).into());
    }
    let places = Places::of_running(ground)?;
    ground.delete();
    Ok(places)
}

/// One round; everything that is not as it should be.
fn play(
    ground: &Ground,
    places: &Places<'_>,
    moment: Moment,
    before: &Traces,
) -> Result<Vec<String>, Failure> {
    let done = kill_at(ground.create(NODES)?, moment)?;
    let mut problems = Vec::new();
    if let Some(status) = done.filter(|status| !status.success()) {
        problems.push(format!("the creation fails by itself: {status}"));
    }
    let ended = trial::run(ground.command(&["delete", "cluster", "--name", CLUSTER]))?;
    if ended.code != Some(0) {
        problems.push(format!("the deletion fails:\n{}", ended.text));
    }
    let left = places.left_since(before);
    problems.extend(left.into_iter().map(|trace| format!("left: {trace}")));
    Ok(problems)
}
