//! Somebody who writes to the cluster without a pause, and remembers what was acknowledged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

use crate::world::World;

/// What became of the writes.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    /// Names that the API server acknowledged.
    pub(crate) acknowledged: Vec<String>,
    /// The longest time between two acknowledgements.
    pub(crate) longest_gap: Duration,
}

/// Writes until `stop` is set, one ConfigMap after the other. A write that fails is tried again.
pub(crate) fn write<'scope>(
    scope: &'scope Scope<'scope, '_>,
    world: &'scope World,
    prefix: &'static str,
    stop: &'scope AtomicBool,
) -> std::thread::ScopedJoinHandle<'scope, Writes> {
    scope.spawn(move || {
        let mut writes = Writes::default();
        let mut last = Instant::now();
        while !stop.load(Ordering::SeqCst) {
            let name = format!("{prefix}-{}", writes.acknowledged.len());
            let arguments = ["create", "configmap", &name, "--request-timeout=3s"];
            let answer = world.kind.ask(&arguments);
            // What was written although nobody heard of it is there all the same.
            if answer.code == 0 || answer.stderr.contains("already exists") {
                writes.longest_gap = writes.longest_gap.max(last.elapsed());
                last = Instant::now();
                writes.acknowledged.push(name);
            }
        }
        writes
    })
}

/// Those of the names that the cluster does not have.
pub(crate) fn missing(world: &World, names: &[String]) -> Vec<String> {
    let listed = world.kind.ask(&["get", "configmaps", "-o", "name"]);
    let listed = listed.expect("get configmaps");
    let known: Vec<_> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("configmap/"))
        .collect();
    let lost = names.iter().filter(|name| !known.contains(&name.as_str()));
    lost.cloned().collect()
}
