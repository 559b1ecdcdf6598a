//! Clusters of several nodes on the native engine: three control planes and three workers from one
//! command, and what happens to them when parts of them die.
//!
//! It is run by its name and needs root, `kubectl`, and the programs named by `KIND_BINARY` and
//! `KIND_SAMPLE_IMAGE`. The tests run in the order of [`TESTS`] and share one cluster.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod inside;
mod records;
mod world;
mod writer;

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use faults::*;
use records::*;
use world::World;

type Test = fn(&World);

/// The tests by their names.
macro_rules! named {
    ($($test:ident),* $(,)?) => { [$((stringify!($test), $test as Test)),*] };
}

const TESTS: [(&str, Test); 10] = named![
    three_control_planes_and_three_workers_become_ready,
    kubeadm_finds_its_records,
    a_node_has_its_own_kubelet_configuration,
    pods_of_different_nodes_talk,
    a_dead_control_plane_costs_no_acknowledged_write,
    a_dead_load_balancer_can_be_started_again,
    a_partitioned_worker_comes_back,
    a_node_without_its_link_comes_back,
    a_stopped_cluster_starts_again,
    a_node_can_join_by_hand,
];

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let world = World::from_environment().map(Arc::new);
    let trials = TESTS.map(|(name, test)| {
        let world = world.clone();
        let ready = world.is_some();
        let run = move || world.map_or(Ok(()), |world| caught(|| test(&world)));
        Trial::test(name, run).with_ignored_flag(!ready)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.into());
    if let Some(world) = &world {
        world.end();
    }
    drop(world);
    conclusion.exit();
}

fn caught(test: impl FnOnce()) -> Result<(), Failed> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(test)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Failed::from(text.unwrap_or("the test failed"))
    })
}
