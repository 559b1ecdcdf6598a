//! What happens in a world of its own: one fault after the other.

use std::path::Path;
use std::time::Duration;

use super::catalogue::FAULTS;
use super::fault::Fault;
use super::ground::Ground;
use super::normal::normalize;
use super::options::Options;
use super::report::{self, Result as Report};
use super::rounds::play_rounds;
use super::snapshot::Snapshots;
use super::{trial, verdict};
use crate::shell::{root, say};
use crate::{Failure, fuzz};

/// Provokes the faults, and fails if one is not told as it should be.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let [kind, image, directory, options @ ..] = arguments else {
        return Err("this is for xtask itself".into());
    };
    let options = Options::parse(options)?;
    let ground = Ground::new(
        &options.provider,
        kind.into(),
        Path::new(image),
        Path::new(directory),
    )?;
    if let Some(rounds) = options.rounds {
        let seed = options.seed.unwrap_or_else(fuzz::seed_of_now);
        return play_rounds(&ground, rounds, seed);
    }
    provoke_all(&ground, &options)
}

fn provoke_all(ground: &Ground, options: &Options) -> Result<(), Failure> {
    let faults = select(options)?;
    let snapshots = Snapshots {
        directory: root().join("xtask/src/faults/snapshots"),
        engine: options.provider.clone(),
    };
    let plain = plain(ground)?;
    let mut reports = Vec::new();
    for fault in faults {
        say(&format!("{} ...", fault.id));
        reports.push(provoke(fault, ground, &snapshots, options.update, plain)?);
    }
    say(&format!("\n{}", report::render(&reports, plain)));
    if reports.iter().all(|report| report.problems.is_empty()) {
        return Ok(());
    }
    Err("not every fault is told as it should be".into())
}

/// The faults that an engine can have, or those of them that were asked for.
fn select(options: &Options) -> Result<Vec<&'static Fault>, Failure> {
    let names = |only: &String, id: &str| only.split(',').any(|name| name == id);
    let is_asked = |fault: &&Fault| {
        options
            .only
            .as_ref()
            .is_none_or(|only| names(only, fault.id))
    };
    let concerned = FAULTS
        .iter()
        .filter(|fault| fault.concerns(&options.provider));
    let faults: Vec<_> = concerned.filter(is_asked).collect();
    if faults.is_empty() {
        return Err(format!("{} has no such fault", options.provider).into());
    }
    Ok(faults)
}

/// How long a creation takes that nothing stands in the way of.
fn plain(ground: &Ground) -> Result<Duration, Failure> {
    ground.delete();
    let ended = trial::run(ground.create("")?)?;
    ground.delete();
    if ended.code == Some(0) {
        return Ok(ended.elapsed);
    }
    Err(format!("a cluster without a fault fails:\n{}", ended.text).into())
}

fn provoke(
    fault: &'static Fault,
    ground: &Ground,
    snapshots: &Snapshots,
    update: bool,
    plain: Duration,
) -> Result<Report, Failure> {
    let prepared = (fault.prepare)(ground, ground.create(fault.config)?)?;
    let ended = trial::run(prepared.command)?;
    drop(prepared.held);
    if fault.keeps_nodes {
        // The engine is there again, and this is what the error says.
        ground.delete();
    }
    let mut problems = verdict::judge(fault, &ended, plain, &ground.nodes());
    let said = normalize(&verdict::error(fault, &ended.text), &ground.directory)?;
    // What is not as it should be is nothing to compare with.
    let differences = match fault {
        Fault { varies: true, .. } => Vec::new(),
        _ => snapshots.compare(fault.id, &said, update && problems.is_empty())?,
    };
    if !problems.is_empty() {
        say(&ended.text);
    }
    if !differences.is_empty() {
        say(&differences.join("\n"));
        problems.push("it says something else than before".to_owned());
    }
    ground.delete();
    Ok(Report {
        id: fault.id,
        elapsed: ended.elapsed,
        problems,
    })
}
