//! Clusters of several nodes: one control plane with two workers, three control planes with three workers,
//! and what happens to them when parts of them die.
//!
//! `cargo xtask test` runs it; it needs root, `kubectl`, docker, and what [`World::is_built`] names. The tests of an
//! engine run in the order of [`tests`]. `KIND_E2E_ENGINE` and a filter like `native::few` choose among them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clusters;
mod disk;
mod faults;
mod inside;
mod joining;
mod records;
mod restarts;
mod traffic;
mod watcher;
mod world;
mod writer;

use std::io::Write;
use std::process::ExitCode;

use kind_e2e::{DIRECTORY, ENGINE, Shared, run_on, scratch};
use libtest_mimic::{Arguments, Trial};

use disk::*;
use faults::*;
use joining::*;
use records::*;
use restarts::*;
use traffic::*;
use world::World;

type Test = fn(&World);

/// The tests by their names.
macro_rules! named {
    ($($test:ident),* $(,)?) => { vec![$((stringify!($test), $test as Test)),*] };
}

/// Engines on which they run.
const ENGINES: [&str; 2] = ["native", "docker"];
/// For what engines keep.
const BUILT: &str = env!("CARGO_TARGET_TMPDIR");

/// The tests of an engine in their order, by their clusters.
fn tests(engine: &str) -> Vec<(&'static str, &'static str, Test)> {
    let few = named![
        one_control_plane_and_two_workers_become_ready,
        a_worker_that_joins_has_its_own_kubelet_configuration,
        a_pod_that_fills_its_nodes_disk_is_evicted,
        a_killed_cluster_starts_again,
        three_nodes_are_deleted,
    ];
    let many = named![
        three_control_planes_and_three_workers_become_ready,
        kubeadm_finds_its_records,
        a_node_has_its_own_kubelet_configuration,
        pods_of_different_nodes_talk,
        a_dead_control_plane_costs_no_acknowledged_write,
        a_dead_control_plane_costs_no_names,
        a_dead_load_balancer_can_be_started_again,
    ];
    let faults = named![
        a_partitioned_worker_comes_back,
        a_node_without_its_link_comes_back,
        a_stopped_cluster_starts_again,
        kubeadm_renews_certificates_and_upgrades,
        a_node_can_join_by_hand,
    ];
    let rest = match engine {
        "native" => faults,
        _ => named![
            a_new_control_plane_joins_by_hand,
            a_restarted_engine_brings_the_cluster_back,
        ],
    };
    let last = named![six_killed_nodes_start_again];
    let of = |cluster, (name, test)| (cluster, name, test);
    let few = few.into_iter().map(|test| of("few", test));
    let many = many.into_iter().chain(rest).chain(last);
    few.chain(many.map(|test| of("many", test))).collect()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let built = World::is_built();
    let shared = Shared::new(World::new);
    match std::env::var(ENGINE) {
        Ok(engine) if built && std::env::var_os(DIRECTORY).is_some() => {
            let trials = trials(&shared, &engine);
            shared.run(&engine, arguments, trials, World::end)
        }
        engine if built && !arguments.list => run_each(engine.ok().as_deref()),
        _ => {
            let trials = ENGINES.iter().flat_map(|engine| trials(&shared, engine));
            let trials = trials.map(|trial| trial.with_ignored_flag(true)).collect();
            libtest_mimic::run(&arguments, trials).exit_code()
        }
    }
}

fn run_each(only: Option<&str>) -> ExitCode {
    let wanted = ENGINES
        .iter()
        .filter(|engine| only.is_none_or(|only| only == **engine));
    let mut code = ExitCode::SUCCESS;
    for engine in wanted {
        if let Err(problem) = run_on(engine, &scratch(BUILT).join("nodes"), &[]) {
            let _ = writeln!(std::io::stderr(), "{engine}: {problem}");
            code = ExitCode::from(101);
        }
    }
    code
}

fn trials(shared: &Shared<World>, engine: &str) -> Vec<Trial> {
    let tests = tests(engine).into_iter();
    let trial = |(cluster, name, test): (&str, &str, Test)| {
        shared.trial(engine, &format!("{cluster}::{name}"), test)
    };
    tests.map(trial).collect()
}
