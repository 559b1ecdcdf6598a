//! What the native engine has on the host: what crashes have left, and networks.

use std::sync::Arc;

use kind_engine::{Engine, Error, Pruning};

use super::facts::Host;
use crate::EngineChoice;
use crate::doctor::fix::Fix;
use crate::doctor::outcome::{Outcome, Problem};
use crate::engines::find_engine;

/// The native engine, if it was used here: nothing is made for it.
fn native_engine(host: &Host) -> Result<Arc<dyn Engine>, Outcome> {
    if !host.is_root() {
        return Err(Outcome::skipped("only root has native nodes"));
    }
    let found = find_engine(EngineChoice::Native, host.settings.engine_parts()).1;
    found.ok_or_else(|| Outcome::skipped("the native engine was not used here"))
}

pub(super) fn look_at_networks(host: &Host) -> Outcome {
    match native_engine(host) {
        Ok(engine) => judge_networks(&engine.find_network_problems()),
        Err(skipped) => skipped,
    }
}

fn judge_networks(problems: &[Error]) -> Outcome {
    let problems = problems.iter().map(|error| {
        let remedy = error
            .remedy()
            .unwrap_or_else(|| "see `ip route`, and remove routes that are not needed".to_owned());
        Problem::error(error.to_string(), "addresses that nobody else has", remedy)
    });
    Outcome::of_problems(problems.collect(), "nobody else has the addresses of nodes")
}

pub(super) fn look_at_orphans(host: &Host) -> Outcome {
    let engine = match native_engine(host) {
        Ok(engine) => engine,
        Err(skipped) => return skipped,
    };
    match engine.prune_orphans(Pruning::Look) {
        Ok(orphans) => judge_orphans(orphans),
        Err(error) => Outcome::skipped(error.to_string()),
    }
}

fn judge_orphans(orphans: Vec<String>) -> Outcome {
    let found = match &orphans[..] {
        [] => return Outcome::passed("everything belongs to a node"),
        [only] => format!("{only} belongs to no node"),
        [first, others @ ..] => format!("{first} and {} more belong to no node", others.len()),
    };
    let remedy = "`kind doctor --fix` removes it";
    Problem::warning(found, "nothing that crashes have left", remedy)
        .with_evidence("native engine", orphans)
        .with_fix(Fix::remove_orphans())
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn networks_whose_addresses_others_have_are_told() {
        let passed = "passed: nobody else has the addresses of nodes";
        assert_eq!(told(&judge_networks(&[])), passed);
        let routed = Error::NoSuchNode("a".to_owned());
        assert_eq!(
            told(&judge_networks(&[routed])),
            "error: no node named \"a\""
        );
    }

    #[test]
    fn orphans_are_counted() {
        let judged = |names: &[&str]| {
            told(&judge_orphans(
                names.iter().map(|name| (*name).to_owned()).collect(),
            ))
        };
        assert_eq!(judged(&[]), "passed: everything belongs to a node");
        assert_eq!(
            judged(&["network a"]),
            "warning: network a belongs to no node"
        );
        assert_eq!(
            judged(&["network a", "cgroup b"]),
            "warning: network a and 1 more belong to no node"
        );
    }
}
