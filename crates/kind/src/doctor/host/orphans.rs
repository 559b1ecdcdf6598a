//! What crashes have left.

use kind_engine::Pruning;

use super::facts::Host;
use crate::EngineChoice;
use crate::choice::find_engine;
use crate::doctor::fix::Fix;
use crate::doctor::outcome::{Outcome, Problem};

pub(super) fn look_at_orphans(host: &Host) -> Outcome {
    if !host.is_root() {
        return Outcome::skipped("only root has native nodes");
    }
    let parts = host.settings.engine_parts();
    let Some(engine) = find_engine(EngineChoice::Native, parts).1 else {
        return Outcome::skipped("the native engine was not used here");
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
