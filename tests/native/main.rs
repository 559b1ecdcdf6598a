//! The whole way on a bare host: `kind create cluster` on the native engine with a node image built from
//! Debian's packages, real Kubernetes, real pods, real traffic, and nothing left at the end.
//!
//! `cargo xtask test` runs it; it needs root, the programs named by `KIND_BINARY` and `KIND_SAMPLE_IMAGE`,
//! and `kubectl`. The tests run in the order of [`TESTS`] and share one cluster.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod faults;
mod refusals;
mod workloads;
mod world;

use std::io::Write;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use cluster::*;
use faults::*;
use refusals::*;
use workloads::*;
use world::World;

type Test = fn(&World);

/// The tests by their names.
macro_rules! named {
    ($($test:ident),* $(,)?) => { [$((stringify!($test), $test as Test)),*] };
}

const TESTS: [(&str, Test); 19] = named![
    errors_leave_nothing_behind,
    a_host_without_nft_is_told_so,
    a_full_disk_is_told_before_anything_is_made,
    create_reports_every_phase,
    the_node_is_ready,
    every_pod_of_kube_system_runs,
    kubeconfig_commands_agree,
    pods_answer_by_dns_name,
    the_host_reaches_a_node_port,
    dns_knows_services_and_pods,
    pods_reach_the_outside,
    a_volume_outlives_its_pod,
    logs_exec_and_port_forward_work,
    logs_are_exported,
    an_interrupted_create_cleans_up,
    a_killed_create_can_be_deleted,
    of_two_creates_at_once_one_wins,
    a_dead_cluster_can_be_deleted,
    a_second_create_builds_nothing,
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
    let clean = world
        .as_deref()
        .map_or(Ok(()), |world| caught(|| world.end()));
    if let Err(failure) = &clean {
        let message = failure.message().unwrap_or("unknown");
        let _ = writeln!(std::io::stderr(), "the host is not as it was: {message}");
    }
    drop(world);
    conclusion.exit_if_failed();
    if clean.is_err() {
        std::process::exit(101);
    }
}

fn caught(test: impl FnOnce()) -> Result<(), Failed> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(test)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Failed::from(text.unwrap_or("the test failed"))
    })
}
